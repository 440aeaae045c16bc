/** What a page knows of a running evaluation, and how each event changes it. */
import type { FailureKind, Submission, SubmissionState } from "../api/types";

/** The events of a stream, in the words of the server. */
export const EVENT_KINDS = [
  "queued",
  "running",
  "progress",
  "retried",
  "measured",
  "scored",
  "checked",
  "failed",
  "cancelled",
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface LiveEvent {
  sequence: number;
  kind: EventKind;
  at: string;
  seeds_done?: number;
  seeds?: number;
  failure?: FailureKind;
  message?: string;
}

export interface Live {
  state: SubmissionState;
  seeds: number;
  done: number;
  /** The newest event taken in. Older ones come again when a stream is opened anew, and change nothing. */
  sequence: number;
  startedAt: number | null;
  /** How often a part was put back, because a worker was lost or failed. */
  retries: number;
}

const FINAL: ReadonlySet<SubmissionState> = new Set(["scored", "checked", "failed", "cancelled"]);

export function hasEnded(state: SubmissionState): boolean {
  return FINAL.has(state);
}

export function liveOf(submission: Submission): Live {
  return {
    state: submission.state,
    seeds: submission.seeds,
    done: submission.seeds_done,
    sequence: 0,
    startedAt: submission.started_at ? Date.parse(submission.started_at) : null,
    retries: 0,
  };
}

export function reduce(live: Live, event: LiveEvent): Live {
  if (event.sequence <= live.sequence) return live;
  const next = { ...live, sequence: event.sequence };
  switch (event.kind) {
    case "progress":
      return { ...next, state: "running", done: event.seeds_done ?? live.done };
    case "running":
      return { ...next, state: "running", startedAt: Date.parse(event.at) };
    case "retried":
      return { ...next, retries: live.retries + 1 };
    default:
      return { ...next, state: event.kind };
  }
}

/** Seconds until all seeds are done at the rate since the start; null while nothing is known of it. */
export function secondsLeft({ state, startedAt, done, seeds }: Live, now: number): number | null {
  if (state !== "running" || startedAt === null || done === 0) return null;
  const secondsEach = Math.max(0, now - startedAt) / 1000 / done;
  return (seeds - done) * secondsEach;
}
