import { expect, it } from "vitest";
import {
  binned,
  confidenceSentence,
  confidenceSteps,
  epsilonBars,
  epsilonSentence,
  exampleTitle,
  overlap,
  spread,
  spreadSentence,
} from "./histograms";

const EPSILONS = { bucket: 0.5, epsilons: [3, 5, 0, 2] };
const SIDES = { low: -1, high: 3, unlearned: [0, 4, 4, 0], oracle: [0, 0, 50, 50] };

it("gives each bucket its points, and none to what lies beyond", () => {
  expect(epsilonBars(EPSILONS)).toEqual([
    { from: 0, to: 0.5, count: 3, points: "1" },
    { from: 0.5, to: 1, count: 5, points: "½" },
    { from: 1, to: 1.5, count: 0, points: "¼" },
    { from: 1.5, to: 2, count: 2, points: "0" },
  ]);
});

it("writes small points as powers of two", () => {
  const bars = epsilonBars({ bucket: 0.5, epsilons: new Array(13).fill(1) });

  expect([bars[3]?.points, bars[4]?.points, bars[11]?.points]).toEqual(["⅛", "2⁻⁴", "2⁻¹¹"]);
});

it("tells how many examples earn points, and where most are", () => {
  expect(epsilonSentence(EPSILONS)).toBe(
    "8 of 10 forget examples earn points; the fullest bucket is ε from 0.5 to 1.",
  );
  expect(epsilonSentence({ bucket: 0.5, epsilons: [0, 0, 7] })).toBe("0 of 7 forget examples earn points.");
  expect(epsilonSentence({ bucket: 0.5, epsilons: [7] })).toBe("0 of 7 forget examples earn points.");
});

it("draws both sides as shares of themselves, at the middles of their bins", () => {
  const steps = confidenceSteps(SIDES);

  expect(steps.map((step) => step.at)).toEqual([-0.5, 0.5, 1.5, 2.5]);
  expect(steps.map((step) => step.unlearned)).toEqual([0, 50, 50, 0]);
  expect(steps.map((step) => step.oracle)).toEqual([0, 0, 50, 50]);
});

it("measures what both have in common", () => {
  expect(overlap(SIDES)).toBe(50);
  expect(overlap({ ...SIDES, oracle: [0, 10, 10, 0] })).toBe(100);
  expect(overlap({ ...SIDES, oracle: [1, 0, 0, 1] })).toBe(0);
  expect(confidenceSentence(SIDES)).toBe(
    "The distributions of the unlearned models and of the oracle overlap by 50%.",
  );
});

it("finds the middle of run times, whether they are even or odd in number", () => {
  expect(spread([3, 1, 2])).toEqual({ shortest: 1, median: 2, longest: 3 });
  expect(spread([4, 1, 2, 3])).toEqual({ shortest: 1, median: 2.5, longest: 4 });
  expect(spread([])).toBeNull();
  expect(spreadSentence({ shortest: 1, median: 2.5, longest: 150 })).toBe(
    "The median run took 2.50 s, the shortest 1.00 s, the longest 2 min 30 s.",
  );
});

it("names an example by its place, its number and its epsilon", () => {
  expect(exampleTitle({ place: "worst", example: 17, epsilon: 4.25, confidences: SIDES })).toBe(
    "One of the worst: example 17, ε = 4.25",
  );
});

it("counts every value once, the greatest in the last bin", () => {
  expect(binned([0, 1, 1.5, 4], 4).map((bin) => bin.count)).toEqual([1, 2, 0, 1]);
  expect(binned([2, 2, 2])).toEqual([{ from: 1.9, to: 2.1, count: 3 }]);
  expect(binned([])).toEqual([]);
});
