/** How far a final is, in words. */
import type { FinalPreview, FinalProgress } from "../api/types";

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

/** What would run if the final was started now. */
export function previewInWords({
  entries,
  teams,
  by_default,
  left_out,
  runs,
  run_hours,
  hours,
}: FinalPreview): string {
  const none = left_out > 0 ? ` ${counted(left_out, "more team")} submitted nothing that can enter.` : "";
  const clock =
    hours === null ? "no worker serves it now" : `about ${roundHours(hours)} on the slots that serve now`;
  return (
    `${counted(entries, "entry", "entries")} of ${counted(teams, "team")} would run, ${by_default} by default.${none} ` +
    `That is ${counted(runs, "run")}, ${roundHours(run_hours)} of one slot: ${clock}.`
  );
}

function counted(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : several}`;
}

/** Hours, to a tenth below ten. */
export function roundHours(hours: number): string {
  if (hours < 0.1) return "less than 0.1 hours";
  return `${hours < 10 ? hours.toFixed(1) : Math.round(hours).toLocaleString("en")} hours`;
}
