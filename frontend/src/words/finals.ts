/** How far a final is, in words. */
import type {
  Finalist,
  FinalistPlace,
  FinalPreview,
  FinalProgress,
  Phase,
  SubmissionState,
} from "../api/types";

export function progressInWords({ at, entries, ended, complete, states }: FinalProgress): string {
  if (at === null) return "Teams are being entered.";
  if (complete) return `All ${entries} entries have ended: ${listed(states)}.`;
  return `${ended} of ${entries} entries have ended${entries ? `: ${listed(states)}` : ""}.`;
}

/** Whether runs that verify a finalist are still to come. */
export function isRunAgain({ places }: Pick<Finalist, "places">): boolean {
  return places.some(({ again }) => again !== null && !ENDED.includes(again.state));
}

const ENDED: readonly SubmissionState[] = ["scored", "failed", "cancelled"];

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

/** The phases that name the published finals of a competition. */
export function publishedFinals(phases: readonly Phase[]): Phase[] {
  return phases.filter((one) => one.final === one.slug && !one.sealed);
}

/** Where a finalist stands on a benchmark. */
export function placeInWords(place: FinalistPlace): string {
  const { rank, rank_best, rank_worst, tie_group, final_score, ci_low, ci_high } = place;
  if (final_score === null || ci_low === null || ci_high === null) return "no score";
  const span = rank_best === null || rank_best === rank_worst ? "" : ` (${rank_best} to ${rank_worst})`;
  const tie = tie_group === null ? "" : `, tie group ${tie_group}`;
  const of = rank === null ? "unranked" : `rank ${rank}${span}${tie}`;
  return `${of}, ${figure(final_score)} (${figure(ci_low)} to ${figure(ci_high)})`;
}

/** How the runs that verify a finalist compare with those that count. */
export function againInWords(run: FinalistPlace["again"]): string | null {
  if (run === null) return null;
  if (run.difference === null || run.low === null || run.high === null) return run.state;
  const where = run.independent ? "on another worker" : "on the same worker, because there was no other";
  const seeds =
    run.same_models === null
      ? "with new seeds"
      : `with the same seeds, ${counted(run.same_models, "model")} the same`;
  const noise = run.separated ? "more than noise explains" : "within its noise";
  const sign = run.difference > 0 ? "+" : "";
  const interval = `${figure(run.low)} to ${figure(run.high)}`;
  return `difference ${sign}${figure(run.difference)} (${interval}), ${noise}; ${where}, ${seeds}`;
}

function figure(value: number): string {
  return value.toFixed(4);
}
