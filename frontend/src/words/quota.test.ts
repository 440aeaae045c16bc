import { expect, it } from "vitest";
import type { Phase, Submission } from "../api/types";
import { quotaOf } from "./quota";

const NOW = Date.parse("2026-06-01T12:00:00Z");
const HOUR = 3_600_000;
const PHASE = { competition: "cup", slug: "feedback", quota_per_day: 2 } as Phase;

function submitted(hoursAgo: number, changes: Partial<Submission> = {}): Submission {
  return {
    competition: "cup",
    phase: "feedback",
    team: "ada",
    reference: "none",
    failure: null,
    submitted_at: new Date(NOW - hoursAgo * HOUR).toISOString(),
    ...changes,
  } as Submission;
}

it("leaves everything where nothing was submitted", () => {
  expect(quotaOf(PHASE, "ada", [], NOW)).toEqual({ left: 2, nextAt: null });
});

it("gives the next slot a day after the oldest that counts", () => {
  expect(quotaOf(PHASE, "ada", [submitted(3), submitted(20)], NOW)).toEqual({
    left: 0,
    nextAt: NOW + 4 * HOUR,
  });
});

it("waits for the newest of too many, when the quota was lowered", () => {
  const found = quotaOf({ ...PHASE, quota_per_day: 1 }, "ada", [submitted(20), submitted(3)], NOW);

  expect(found).toEqual({ left: 0, nextAt: NOW + 21 * HOUR });
});

it.each<[string, Submission]>([
  ["older than a day", submitted(25)],
  ["of another team", submitted(1, { team: "bob" })],
  ["of another phase", submitted(1, { phase: "final" })],
  ["a reference row", submitted(1, { reference: "retrain" })],
  ["failed through the platform's fault", submitted(1, { failure: { kind: "platform", message: "" } })],
])("does not count what is %s", (_, one) => {
  expect(quotaOf(PHASE, "ada", [one], NOW).left).toBe(2);
});

it("never has a next slot with a quota of 0", () => {
  expect(quotaOf({ ...PHASE, quota_per_day: 0 }, "ada", [], NOW)).toEqual({ left: 0, nextAt: null });
});
