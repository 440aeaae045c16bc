import type { SubmissionState } from "../api/types";
import { STATE_WORDS } from "../words/states";
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
  return <Badge tone={TONE[state]}>{STATE_WORDS[state]}</Badge>;
}
