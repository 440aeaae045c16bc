import type { SubmissionState } from "../api/types";
import type { Tone } from "./Badge";
import { Badge } from "./Badge";

const TONE: Record<SubmissionState, Tone> = {
  queued: "calm",
  running: "river",
  measured: "river",
  scored: "good",
  checked: "good",
  failed: "bad",
  cancelled: "warn",
};

export function StateBadge({ state }: { state: SubmissionState }) {
  return <Badge tone={TONE[state]}>{state === "measured" ? "being scored" : state}</Badge>;
}
