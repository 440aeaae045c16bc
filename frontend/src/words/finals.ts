/** How far a final is, in words. */
import type { FinalProgress } from "../api/types";

export function progressInWords({ at, entries, ended, complete, states }: FinalProgress): string {
  if (at === null) return "Teams are being entered.";
  if (complete) return `All ${entries} entries have ended: ${listed(states)}.`;
  return `${ended} of ${entries} entries have ended${entries ? `: ${listed(states)}` : ""}.`;
}

function listed(states: Record<string, number>): string {
  return Object.entries(states)
    .map(([state, count]) => `${count} ${state}`)
    .join(", ");
}

/** Hours, to a tenth below ten. */
export function roundHours(hours: number): string {
  return `${hours < 10 ? hours.toFixed(1) : Math.round(hours).toLocaleString("en")} hours`;
}
