/** What can happen that people are told of, in words, and what became of a call. */
import type { HappeningKind, HookCall } from "../api/types";

const WORDS: Record<HappeningKind, string> = {
  "submission.accepted": "A submission waits for its runs",
  "submission.running": "A submission runs",
  "submission.scored": "A submission is scored",
  "submission.checked": "A notebook passed its check",
  "submission.failed": "A submission failed",
  "submission.cancelled": "A submission is cancelled",
  "announcement.posted": "An announcement is posted",
  "phase.opened": "A phase opens",
  "phase.closing": "A phase closes within a day",
  "board.changed": "A leaderboard changes as a whole",
};

export const HAPPENINGS = Object.keys(WORDS) as HappeningKind[];

export function happeningInWords(kind: string): string {
  return (WORDS as Record<string, string>)[kind] ?? (kind === "webhook.test" ? "Test" : kind);
}

/** "everything", or what a webhook is called for. */
export function kindsInWords(kinds: readonly HappeningKind[]): string {
  if (kinds.length === HAPPENINGS.length) return "everything";
  const [first = "", ...more] = kinds.map(happeningInWords);
  return [first, ...more.map((words) => words.charAt(0).toLowerCase() + words.slice(1))].join("; ");
}

/** "Delivered (204)"; what went wrong, and whether it is tried again. */
export function outcomeOf(call: HookCall): string {
  if (call.delivered_at) return `Delivered (${call.status})`;
  const last = call.problem ?? (call.status ? `It answered ${call.status}` : null);
  if (call.given_up_at) return `Given up. ${last ?? ""}`.trim();
  if (call.attempts === 0 || last === null) return "Waits";
  return `Tried ${call.attempts === 1 ? "once" : `${call.attempts} times`}, tried again later. ${last}`;
}

/** Whether a call has ended, so that it can be made again. */
export function hasEnded(call: HookCall): boolean {
  return call.delivered_at !== null || call.given_up_at !== null;
}
