import { expect, it } from "vitest";
import { bytes, count, estimate, interval, plain, score, share } from "./numbers";

it.each([
  [0.2010123, 0.18, 0.22, "0.201"],
  [0.0097123, 0.0048, 0.0186, "0.0097"],
  [0.5, 0.5, 0.5, "0.5000"],
  [0.5, undefined, undefined, "0.5000"],
  [0.00001, 0.000009, 0.000011, "0.000010"],
])("scores show the digits that their interval supports: %d", (value, low, high, expected) => {
  expect(score(value, low, high)).toBe(expected);
});

it("intervals show both ends alike", () => {
  expect(interval(0.0048, 0.0186)).toBe("0.0048 – 0.0186");
});

it("an estimate shows the digits of its interval", () => {
  expect(estimate(0.21, 0.17, 0.25)).toBe("0.210 (0.170 – 0.250)");
});

it("probabilities are never told as certain", () => {
  expect([0, 0.5, 1].map(share)).toEqual(["< 0.1%", "50.0%", "> 99.9%"]);
});

it.each([
  [512, "512 B"],
  [2048, "2 KiB"],
  [1536, "1.5 KiB"],
  [2 * 1024 ** 3, "2 GiB"],
])("%d bytes are %s", (size, expected) => {
  expect(bytes(size)).toBe(expected);
});

it("what is missing is a dash", () => {
  expect([null, undefined, 0.12345, 1234.5].map(plain)).toEqual(["–", "–", "0.123", "1235"]);
});

it("nouns follow their number", () => {
  expect([count(1, "row"), count(1200, "row")]).toEqual(["1 row", "1,200 rows"]);
});
