import { expect, test } from "vitest";
import { robustnessHint } from "./robustness";

const COSTS = {
  recipe: {},
  oracle: 64,
  relearned: 16,
  poisoned: 0,
  reading_s: 0.5,
  relearning_s: 2,
  memory_bytes: 0,
};

test("the cost counts every run, and relearning only for the first ones", () => {
  expect(robustnessHint(COSTS, 100)).toContain("about 1 min 22 s of a worker");
  expect(robustnessHint(COSTS, 4)).toContain("about 10 s of a worker");
});
