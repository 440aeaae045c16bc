import { expect, test } from "vitest";
import { leftOut, noiseShares } from "./noise";

const split = { runs: 0.3, originals: 0.4, subjects: null, starts: 8 };

test("noise is told in shares of the variance, and a part that is unknown has none", () => {
  expect(noiseShares({ variance: split, seeds: 512 })).toBe("36% other runs, 64% other originals");
  expect(noiseShares({ variance: { ...split, runs: 0, originals: null }, seeds: 512 })).toBeNull();
  expect(noiseShares({ variance: null, seeds: 512 })).toBeNull();
});

test("a score from one original says what its interval leaves out", () => {
  expect(leftOut({ variance: { ...split, starts: 1 }, seeds: 512 })).toContain("one original model");
  expect(leftOut({ variance: { ...split, starts: null }, seeds: 512 })).toContain("unknown");
  expect(leftOut({ variance: split, seeds: 512 })).toBeNull();
  expect(leftOut({ variance: { ...split, starts: 1 }, seeds: 1 })).toBeNull();
  expect(leftOut({ variance: null, seeds: 512 })).toBeNull();
});
