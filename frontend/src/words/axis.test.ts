import { expect, it } from "vitest";
import { axisOf, fittingScale, labelled, placeOn } from "./axis";

it.each([
  [[], "linear"],
  [[0, 0], "linear"],
  [[0.2, 0.1, 0.05], "linear"],
  [[0.2, 0.001, 0], "log"],
] as const)("scores %j are shown on the scale %s", (scores, expected) => {
  expect(fittingScale(scores)).toBe(expected);
});

it("a logarithmic axis has room for scores that an even one squeezes", () => {
  const axis = axisOf("log", [0.2, 0.0002, 0], [0.23, 0.0003, 0]);

  expect(axis).toMatchObject({ to: 0.25, evenBelow: 0.0001, ticks: [0, 0.0001, 0.001, 0.01, 0.1] });
  expect(placeOn(axis, 0)).toBe(0);
  expect(placeOn(axis, 0.0002)).toBeGreaterThan(0.1);
  expect(placeOn(axis, 0.25)).toBe(1);
  expect(placeOn(axis, 1)).toBe(1);
});

it("a higher score stands further right on either scale", () => {
  for (const scale of ["linear", "log"] as const) {
    const scores = [0, 1e-9, 0.0001, 0.0005, 0.02, 0.2];
    const axis = axisOf(scale, scores, scores);
    const places = scores.map((score) => placeOn(axis, score));
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
  }
});

it("one tiny score does not stretch the axis over more than four decades", () => {
  expect(axisOf("log", [1, 1e-12], [1]).evenBelow).toBeCloseTo(1e-4, 12);
});

it("the even part holds the smallest score, and its end is a power of ten near it", () => {
  expect(axisOf("log", [0.2, 0.00008], [0.2]).evenBelow).toBe(0.0001);
  expect(axisOf("log", [0.2, 0.0002], [0.2]).evenBelow).toBe(0.0001);
  expect(axisOf("log", [0.2, 0.0005], [0.2]).evenBelow).toBe(0.001);
});

it("labels that would touch are left out", () => {
  const axis = axisOf("log", [0.2, 0.0002], [0.2]);

  expect(labelled(axis, 0.05)).toEqual(axis.ticks);
  expect(labelled(axis, 0.15)).toEqual([0, 0.001, 0.01, 0.1]);
});

it.each([
  [0.25, [0, 0.05, 0.1, 0.15, 0.2, 0.25]],
  [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [0.008, [0, 0.002, 0.004, 0.006, 0.008]],
])("an even axis to %d is labelled at numbers that read well", (to, ticks) => {
  expect(axisOf("linear", [to], [to]).ticks).toEqual(ticks);
});

it("an axis for no scores at all can be drawn", () => {
  const axis = axisOf("log", [], []);

  expect(placeOn(axis, 0)).toBe(0);
  expect(axis.ticks.every(Number.isFinite)).toBe(true);
});
