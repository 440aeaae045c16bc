import { expect, test } from "vitest";
import { may } from "./roles";

test("a role may what the ones before it may", () => {
  expect(may("owner", "organiser")).toBe(true);
  expect(may("reviewer", "reviewer")).toBe(true);
  expect(may("reviewer", "organiser")).toBe(false);
  expect(may("participant", "reviewer")).toBe(false);
});

test("whoever has no role, or whose role is not known yet, may nothing", () => {
  expect(may(null, "participant")).toBe(false);
  expect(may(undefined, "participant")).toBe(false);
});
