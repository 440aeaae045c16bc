/** What a page knows of a running evaluation, and how each event changes it. */
import type { EventData, EventKind, Submission, SubmissionState } from "../api/types";

/** The events of a stream, in the words of the server. A kind that it has and this lacks fails the type check. */
const KINDS: Record<EventKind, true> = {
  queued: true,
  running: true,
  progress: true,
  provisional: true,
  retried: true,
  discarded: true,
  measured: true,
  scored: true,
  checked: true,
  failed: true,
  cancelled: true,
};
export const EVENT_KINDS = Object.keys(KINDS) as EventKind[];

export type LiveEvent = EventData & { sequence: number };

/** The score of the first so many runs. F depends on their number, so it is no forecast of the final one. */
export interface Provisional {
  models: number;
  value: number;
  low: number;
  high: number;
}

export interface Live {
  state: SubmissionState;
  ended: boolean;
  /** Whether runs are left to stop. */
  cancellable: boolean;
  seeds: number;
  done: number;
  /** Checkpoints that a notebook has written; they are measured when it has ended. */
  written: number;
  /** The newest event taken in. Older ones come again when a stream is opened anew, and change nothing. */
  sequence: number;
  startedAt: number | null;
  /** When what `done` counts began: a notebook's checkpoints are measured after its last cell. */
  countsSince: number | null;
  /** How often a part was put back, because a worker was lost or failed. */
  retries: number;
  provisional: readonly Provisional[];
}

export function liveOf(submission: Submission): Live {
  const startedAt = submission.started_at ? Date.parse(submission.started_at) : null;
  return {
    state: submission.state,
    ended: submission.ended,
    cancellable: submission.cancellable,
    seeds: submission.seeds,
    done: submission.seeds_done,
    written: submission.checkpoints_written,
    sequence: 0,
    startedAt,
    countsSince: startedAt,
    retries: 0,
    provisional: [],
  };
}

export function reduce(live: Live, event: LiveEvent): Live {
  if (event.sequence <= live.sequence) return live;
  const next = {
    ...live,
    sequence: event.sequence,
    state: event.state ?? live.state,
    ended: event.ended ?? live.ended,
    cancellable: event.cancellable ?? live.cancellable,
  };
  switch (event.kind) {
    case "progress":
      return {
        ...next,
        done: event.seeds_done ?? live.done,
        written: event.checkpoints_written ?? live.written,
        countsSince: event.seeds_done === 0 ? Date.parse(event.at) : live.countsSince,
      };
    case "running": {
      const at = Date.parse(event.at);
      return { ...next, startedAt: at, countsSince: at };
    }
    case "provisional":
      return { ...next, provisional: [...live.provisional, provisionalOf(event)] };
    case "retried":
      return { ...next, retries: live.retries + 1 };
    case "discarded":
      return { ...next, done: 0, written: 0 };
    case "queued":
    case "measured":
    case "scored":
    case "checked":
    case "failed":
    case "cancelled":
      return next;
  }
}

function provisionalOf({ models, final_score, ci_low, ci_high }: LiveEvent): Provisional {
  return { models: models ?? 0, value: final_score ?? 0, low: ci_low ?? 0, high: ci_high ?? 0 };
}

/** Whether a notebook has come no further than writing checkpoints: none is measured yet, or ever was. */
export function hasOnlyWritten({ written, done }: Live): boolean {
  return written > 0 && done === 0;
}

/**
 * Seconds until all seeds are done, or until a notebook has written all its checkpoints, at the rate so far; null until
 * enough are done to know it.
 */
export function secondsLeft(live: Live, now: number): number | null {
  const { state, done, written, seeds, startedAt, countsSince } = live;
  const [count, since] = hasOnlyWritten(live) ? [written, startedAt] : [done, countsSince];
  if (state !== "running" || since === null || count < enoughSeeds(seeds) || count > seeds) return null;
  const secondsEach = Math.max(0, now - since) / 1000 / count;
  return (seeds - count) * secondsEach;
}

/** The first seed is slow, since everything starts with it: a hundredth of them, and two at least, tell the rate. */
function enoughSeeds(seeds: number): number {
  return Math.max(2, Math.ceil(seeds / 100));
}
