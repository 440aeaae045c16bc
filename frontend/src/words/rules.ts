/** The rules of a phase in sentences, read off its settings, so that they cannot differ from what is enforced. */
import type { Phase } from "../api/types";
import { bytes, count } from "./numbers";
import { span } from "./time";

export function rulesOf(phase: Phase): string[] {
  const files = phase.notebooks
    ? "a module (.py), an archive (.zip) or a notebook (.ipynb)"
    : "a module (.py) or an archive (.zip)";
  return [
    `A submission is ${files}.`,
    `Lethe runs its code ${count(phase.seeds, "time")}, each time from the original model and with a different secret seed.`,
    `One run may take ${span(phase.seed_timeout_s)} and use ${bytes(phase.memory_bytes)} of memory, on a ${phase.device === "gpu" ? "GPU" : "CPU"}.`,
    ...(phase.notebooks ? [`A whole notebook may take ${span(phase.notebook_timeout_s)}.`] : []),
    `A team may submit ${count(phase.quota_per_day, "time")} in any 24 hours${phase.quota_total === null ? "" : `, and ${count(phase.quota_total, "time")} in all`}. A submission that the platform fails to run does not count.`,
    `Unlearning must be cheaper than retraining: a submission that costs more than ${Math.round(phase.max_time_ratio * 100)}% of the fastest full retraining on the board is shown, but not ranked.`,
    `The leaderboard ranks by the metric ${phase.metric}. Entries that a paired test cannot tell apart share a tie group.`,
    ...(phase.robustness_s === null
      ? []
      : [
          `Every model is also read under stress: with rounded weights, on perturbed images, and some after fine-tuning. That takes about ${span(Math.ceil(phase.robustness_s))} more of a worker, counts as no time of yours, and ranks nothing.`,
        ]),
    ...(phase.placebo_runs === 0
      ? []
      : [
          `The code also runs ${count(phase.placebo_runs, "time")} from models that never saw the forget set, to see what it does if there is nothing to forget. If such a run fails, the submission fails; its time does not count, and it ranks nothing.`,
        ]),
    phase.data_hidden
      ? "The data are hidden: a failure shows its kind, the run and the limit, but no message. Printed output, histograms and provisional scores are not shown."
      : "The data are not hidden: a failure shows its whole traceback, and printed output, histograms and provisional scores are shown.",
    "Your own code is evaluated once, whatever its comments; resubmitting it does not change the score.",
  ];
}
