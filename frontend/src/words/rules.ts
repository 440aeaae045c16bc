/** The rules of a phase in sentences, read off its settings, so that they cannot differ from what is enforced. */
import type { Phase } from "../api/types";
import { bytes, count } from "./numbers";
import { span } from "./time";

export function rulesOf(phase: Phase): string[] {
  const files = phase.notebooks
    ? "a module (.py), an archive (.zip) or a notebook (.ipynb)"
    : "a module (.py) or an archive (.zip)";
  return [
    `An entry is ${files}.`,
    `It is run ${count(phase.seeds, "time")}, each from the same trained network and with its own random seed.`,
    `One run may take ${span(phase.seed_timeout_s)} and ${bytes(phase.memory_bytes)} of memory, on a ${phase.device === "gpu" ? "GPU" : "CPU"}.`,
    ...(phase.notebooks ? [`A whole notebook may take ${span(phase.notebook_timeout_s)}.`] : []),
    `A team may submit ${count(phase.quota_per_day, "time")} in any 24 hours. What the platform fails to run is given back.`,
    `Unlearning must be cheaper than retraining: an entry that takes more than ${Math.round(phase.max_time_ratio * 100)} % of its time is shown, but not ranked.`,
    `The board ranks by the metric ${phase.metric}. Entries that a paired test does not separate share a tie group.`,
    phase.data_hidden
      ? "The data are hidden: a failure shows your own line and the exception's class, not its message. Print-outs, histograms and provisional scores are not shown."
      : "The data are not hidden: a failure shows its whole traceback, and print-outs, histograms and provisional scores are shown.",
    "Identical code shares one evaluation, so submitting it again draws no new luck.",
  ];
}
