import { expect, test } from "vitest";
import type { HookCall } from "../api/types";
import { HAPPENINGS, happeningInWords, hasEnded, kindsInWords, outcomeOf } from "./happenings";

const CALL: HookCall = {
  id: "1",
  kind: "submission.scored",
  body: "{}",
  attempts: 0,
  status: null,
  problem: null,
  created_at: "2027-01-01T00:00:00Z",
  delivered_at: null,
  given_up_at: null,
};

test("a webhook that is called for all kinds is called for everything", () => {
  expect(kindsInWords(HAPPENINGS)).toBe("everything");
  expect(kindsInWords(["phase.opened", "submission.failed"])).toBe("A phase opens; a submission failed");
  expect(happeningInWords("webhook.test")).toBe("Test");
  expect(happeningInWords("new.kind")).toBe("new.kind");
});

test("a call says what became of it", () => {
  expect(outcomeOf(CALL)).toBe("Waits");
  expect(outcomeOf({ ...CALL, attempts: 1, status: 500 })).toBe(
    "Tried once, tried again later. It answered 500",
  );
  expect(outcomeOf({ ...CALL, attempts: 3, problem: "No answer." })).toBe(
    "Tried 3 times, tried again later. No answer.",
  );
  expect(outcomeOf({ ...CALL, attempts: 9, status: 410, given_up_at: CALL.created_at })).toBe(
    "Given up. It answered 410",
  );
  const delivered = { ...CALL, attempts: 1, status: 204, delivered_at: CALL.created_at };
  expect(outcomeOf(delivered)).toBe("Delivered (204)");
  expect([CALL, delivered].map(hasEnded)).toEqual([false, true]);
});
