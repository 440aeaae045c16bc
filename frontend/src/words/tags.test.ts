import { expect, test } from "vitest";
import { tagsOf } from "./tags";

test("tags are separated by commas, and the same one counts once", () => {
  expect(tagsOf(" lr 0.1, head,, head ,")).toEqual(["lr 0.1", "head"]);
  expect(tagsOf("")).toEqual([]);
});
