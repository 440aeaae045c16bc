import { expect, test } from "vitest";
import { firstLine, imageName, imageOf } from "./markdown";

test.each([
  ["", ""],
  ["Plain.\n\nMore.", "Plain."],
  ["\n# A **bold** `title`\nText", "A bold title"],
  ["See [the page](https://example.org) and ![a cat](cat.png).", "See the page and a cat."],
])("the first line of %j is plain words", (text, line) => {
  expect(firstLine(text)).toBe(line);
});

test("only images of the competition itself are shown", () => {
  expect(imageOf("cup", "images/a-digit.png")).toBe("/api/competitions/cup/images/a-digit.png");
  for (const elsewhere of [
    undefined,
    "",
    "a.png",
    "images/../a.png",
    "images/a.svg",
    "images/a.png?x=1",
    "/images/a.png",
    "https://example.org/images/a.png",
    "//example.org/images/a.png",
    "images/a%2f.png",
  ]) {
    expect(imageOf("cup", elsewhere)).toBeUndefined();
  }
});

test("a file is given a name that the server takes", () => {
  expect(imageName("digit.png")).toBe("digit.png");
  expect(imageName("My Digit (1).PNG")).toBe("my-digit-1.png");
  expect(imageName("_é.jpeg")).toBe("image.jpeg");
  expect(imageName(`${"a".repeat(99)}.webp`)).toHaveLength(61);
});
