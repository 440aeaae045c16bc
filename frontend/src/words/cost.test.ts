import { expect, test } from "vitest";
import { costText } from "./cost";

const OLD = {
  run_s: 0.5,
  time_ratio: 0.1,
  time_ratio_low: null,
  time_ratio_high: null,
  retraining_s: 5,
  cost: null,
};
const COST = {
  ratio: 0.12,
  low: 0.115,
  high: 0.125,
  of: "processor",
  run_s: 0.4,
  trainer_s: 3.3,
  empty_s: 0.03,
  runs: 512,
  trainer_runs: 4,
};

test("a run without a known retraining has only its time", () => {
  expect(costText({ ...OLD, time_ratio: null })).toBe("0.500 s");
});

test("a ratio of earlier versions says that retraining was timed at another time", () => {
  expect(costText(OLD)).toBe(
    "0.500 s (10.0% of the fastest full retraining here, 5.00 s, timed at another time)",
  );
});

test("a cost that was measured between the runs has an interval, and says of what it is", () => {
  const measured = { ...OLD, time_ratio: 0.12, time_ratio_low: 0.115, time_ratio_high: 0.125, cost: COST };
  expect(costText(measured)).toBe(
    "0.500 s (12.0% of the fastest full retraining here, 11.5 to 12.5% with noise; by processor time, beside 4 runs of retraining between the entry's own, beyond what an empty run takes)",
  );
  expect(costText({ ...measured, cost: { ...COST, of: "clock", trainer_runs: 1, empty_s: 0 } })).toContain(
    "by the clock, beside 1 run of retraining between the entry's own)",
  );
});
