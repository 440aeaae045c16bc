import { expect, test } from "vitest";
import { lineKind } from "./diffs";

test("a line of a diff says what it is", () => {
  expect(["--- a.py", "@@ -1 +1 @@", "-x", "+y", " z"].map(lineKind)).toEqual([
    "place",
    "place",
    "removed",
    "added",
    "kept",
  ]);
});
