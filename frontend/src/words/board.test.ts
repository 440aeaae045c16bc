import { expect, it } from "vitest";
import { brackets, inWords, reach, suiteColumns } from "./board";

const groups = (...of: (number | null)[]) => brackets(of.map((tie_group) => ({ tie_group })));

it("a group of one has no bracket", () => {
  expect(groups(1, 2, 3)).toEqual(["none", "none", "none"]);
});

it("a bracket spans its group", () => {
  expect(groups(1, 2, 2, 2, 3)).toEqual(["none", "start", "middle", "end", "none"]);
});

it("a bracket passes through rows that are not of its group", () => {
  expect(groups(null, 1, null, 2, 1, null)).toEqual(["none", "start", "through", "through", "end", "none"]);
});

it.each([
  [[0.228, 0.01], 0.25],
  [[0.0061], 0.008],
  [[1], 1],
  [[0], 1],
  [[], 1],
])("the axis for %j ends at %d", (highs, expected) => {
  expect(reach(highs.map((ci_high) => ({ ci_high })))).toBe(expected);
});

it("columns of a suite are those that any entry has", () => {
  const found = suiteColumns([
    { suites: { klom: { a: 1 } } },
    { suites: { klom: { a: 2, b: null }, ssd: {} } },
  ]);

  expect([...found]).toEqual([
    ["klom", ["a", "b"]],
    ["ssd", []],
  ]);
});

it("names of the server become words", () => {
  expect(inWords("mia_accuracy-oracle")).toBe("mia accuracy oracle");
});
