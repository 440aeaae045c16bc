import { expect, test } from "vitest";
import { previewInWords, progressInWords, roundHours } from "./finals";

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
