import { expect, test } from "vitest";
import {
  againInWords,
  isRunAgain,
  placeInWords,
  previewInWords,
  progressInWords,
  roundHours,
} from "./finals";

const START = {
  at: "2026-01-01T00:00:00Z",
  entries: 3,
  ended: 1,
  complete: false,
  states: { scored: 1, queued: 2 },
};

test("progress says what became of the entries", () => {
  expect(progressInWords(START)).toBe("1 of 3 entries have ended: 1 scored, 2 queued.");
  expect(progressInWords({ ...START, ended: 3, complete: true, states: { scored: 2, failed: 1 } })).toBe(
    "All 3 entries have ended: 2 scored, 1 failed.",
  );
});

test("before the first count teams are being entered", () => {
  expect(progressInWords({ ...START, at: null })).toBe("Teams are being entered.");
});

test.each([
  [0.05, "less than 0.1 hours"],
  [9.94, "9.9 hours"],
  [1234.4, "1,234 hours"],
])("%s hours read well", (hours, words) => {
  expect(roundHours(hours)).toBe(words);
});

test("a preview says who would run, and for how long", () => {
  const found = {
    at: START.at,
    entries: 3,
    teams: 2,
    by_default: 1,
    left_out: 1,
    runs: 1536,
    run_hours: 12.4,
    hours: 3.1,
  };
  expect(previewInWords({ ...found, behind: false })).toBe(
    "3 entries of 2 teams would run, 1 by default. 1 more team submitted nothing that can enter. " +
      "That is 1,536 runs, 12 hours of one slot: about 3.1 hours on the slots that serve now.",
  );
  expect(previewInWords({ ...found, left_out: 0, hours: null, behind: false })).toContain(
    "default. That is 1,536 runs, 12 hours of one slot: no worker serves it now.",
  );
});

const AGAIN = {
  state: "scored" as const,
  same_seeds: true,
  independent: true,
  same_models: 512,
  final_score: 0.5,
  ci_low: 0.49,
  ci_high: 0.51,
  difference: 0.0123,
  low: -0.01,
  high: 0.03,
  separated: false,
  created_at: START.at,
};

const PLACE = {
  phase: "final",
  submission_id: "a",
  rank: 1,
  rank_best: 1,
  rank_worst: 3,
  tie_group: 1,
  final_score: 0.5,
  ci_low: 0.4,
  ci_high: 0.6,
  again: null,
};

test("a verifying run says how it compares, where it ran and with which seeds", () => {
  expect(againInWords(null)).toBe(null);
  expect(againInWords({ ...AGAIN, state: "queued", difference: null, low: null, high: null })).toBe("queued");
  expect(againInWords(AGAIN)).toBe(
    "difference +0.0123 (-0.0100 to 0.0300), within its noise; on another worker, with the same seeds, 512 models the same",
  );
  expect(againInWords({ ...AGAIN, independent: false, same_models: null, separated: true })).toContain(
    "more than noise explains; on the same worker, because there was no other, with new seeds",
  );
});

test.each([
  [null, false],
  [{ ...AGAIN, state: "queued", difference: null }, true],
  [{ ...AGAIN, state: "measured", difference: null }, true],
  [AGAIN, false],
  [{ ...AGAIN, state: "failed", difference: null }, false],
] as const)("a page of finalists is read again while a run of theirs is to come: %j", (again, expected) => {
  expect(isRunAgain({ places: [{ ...PLACE, again }] })).toBe(expected);
});

test("a finalist's place has its interval and its tie group", () => {
  expect(placeInWords(PLACE)).toBe("rank 1 (1 to 3), tie group 1, 0.5000 (0.4000 to 0.6000)");
  expect(placeInWords({ ...PLACE, final_score: null })).toBe("no score");
});
