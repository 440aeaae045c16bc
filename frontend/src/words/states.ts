/** The states of a submission, in the words that people read. */
import type { SubmissionState } from "../api/types";

export const STATE_WORDS: Record<SubmissionState, string> = {
  queued: "queued",
  running: "running",
  measured: "being scored",
  scored: "scored",
  checked: "checked",
  failed: "failed",
  cancelled: "cancelled",
};
export const STATES = Object.keys(STATE_WORDS) as SubmissionState[];
