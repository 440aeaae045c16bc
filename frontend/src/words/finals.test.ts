import { expect, test } from "vitest";
import { progressInWords, roundHours } from "./finals";

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
  [0, "0.0 hours"],
  [9.94, "9.9 hours"],
  [1234.4, "1,234 hours"],
])("%s hours read well", (hours, words) => {
  expect(roundHours(hours)).toBe(words);
});
