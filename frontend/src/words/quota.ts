/** What is left of a team's submissions in any 24 hours, by the rule that the server applies. */
import type { Phase, Submission } from "../api/types";

const WINDOW_MS = 24 * 60 * 60 * 1000;

export interface Quota {
  left: number;
  /** When the next submission is possible; null when it is at once, or never with a quota of 0. */
  nextAt: number | null;
}

/** Count one team's submissions to a phase. Those that failed through the platform's fault are given back. */
export function quotaOf(phase: Phase, team: string, submitted: readonly Submission[], now: number): Quota {
  const times = submitted
    .filter((one) => one.competition === phase.competition && one.phase === phase.slug && one.team === team)
    .filter((one) => one.reference === "none" && one.failure?.kind !== "platform")
    .map((one) => Date.parse(one.submitted_at))
    .filter((time) => time > now - WINDOW_MS)
    .sort((a, b) => b - a);
  const left = Math.max(0, phase.quota_per_day - times.length);
  const blocking = times[phase.quota_per_day - 1];
  return { left, nextAt: left === 0 && blocking !== undefined ? blocking + WINDOW_MS : null };
}
