import type { Score } from "../api/types";
import { count, plain } from "./numbers";
import { runTime } from "./time";

type Timed = Pick<
  Score,
  "run_s" | "time_ratio" | "time_ratio_low" | "time_ratio_high" | "retraining_s" | "cost"
>;

/** How long a run takes, and which share of retraining that is, with the word on how they were compared. */
export function costText(of: Timed): string {
  const took = runTime(of.run_s);
  if (of.time_ratio === null) return took;
  const share = `${plain(of.time_ratio * 100)}%`;
  if (of.cost === null || of.time_ratio_low === null || of.time_ratio_high === null) {
    const retraining = of.retraining_s === null ? "" : `, ${runTime(of.retraining_s)}, timed at another time`;
    return `${took} (${share} of the fastest full retraining here${retraining})`;
  }
  const range = `${plain(of.time_ratio_low * 100)} to ${plain(of.time_ratio_high * 100)}%`;
  const kind = of.cost.of === "processor" ? "processor time" : "the clock";
  const timed = count(of.cost.trainer_runs, "run");
  const beyond = (of.cost.empty_s ?? 0) > 0 ? ", beyond what an empty run takes" : "";
  return `${took} (${share} of the fastest full retraining here, ${range} with noise; by ${kind}, beside ${timed} of retraining between the entry's own${beyond})`;
}

/** Where the share of retraining lies, for a row of a leaderboard. */
export function costRange(of: Pick<Score, "time_ratio_low" | "time_ratio_high">): string {
  return of.time_ratio_low === null || of.time_ratio_high === null
    ? "Retraining was timed at another time"
    : `${plain(of.time_ratio_low * 100)} to ${plain(of.time_ratio_high * 100)}% with noise; retraining was timed between the runs`;
}
