/** The columns right of the score: its parts, another metric, a suite, or certificates. */
import type { ReactNode } from "react";
import type { Catalogue, Entry } from "../../api/types";
import { suiteColumns } from "../../words/board";
import { chosenColumn, columnInfo, explain, suiteTitle } from "../../words/catalogue";
import { costRange } from "../../words/cost";
import { interval, plain, score } from "../../words/numbers";
import { runTime } from "../../words/time";

export interface Column {
  name: string;
  title?: string;
  show: (entry: Entry) => ReactNode;
}

const NONE = "–";

const PARTS: Column[] = [
  {
    name: "F",
    title: "Forgetting quality",
    show: (entry) => (
      <span title={interval(entry.forgetting_quality_low, entry.forgetting_quality_high)}>
        {score(entry.forgetting_quality, entry.forgetting_quality_low, entry.forgetting_quality_high)}
      </span>
    ),
  },
  {
    name: "utility",
    title: "Accuracy divided by the oracle's",
    show: (entry) => (
      <span title={interval(entry.utility_low, entry.utility_high)}>{entry.utility.toFixed(3)}</span>
    ),
  },
  {
    name: "time",
    title: "Mean time per run; in brackets, its cost as a share of the fastest full retraining on this board",
    show: (entry) =>
      entry.time_ratio === null ? (
        runTime(entry.run_s)
      ) : (
        <span
          title={costRange(entry)}
        >{`${runTime(entry.run_s)} (${Math.round(entry.time_ratio * 100)}%)`}</span>
      ),
  },
  {
    name: "models",
    title: "Number of models; in brackets, the number if near-duplicates count once",
    show: (entry) =>
      entry.effective_models < entry.seeds ? `${entry.seeds} (${entry.effective_models})` : entry.seeds,
  },
];

const INTERVALS: Column[] = [
  {
    name: "F",
    show: (entry) => interval(entry.forgetting_quality_low, entry.forgetting_quality_high),
  },
  { name: "utility", show: (entry) => interval(entry.utility_low, entry.utility_high) },
  {
    name: "score, all drawn anew",
    show: ({ generalisation_low: low, generalisation_high: high }) =>
      low === null || high === null ? NONE : interval(low, high),
  },
];

const CERTIFICATE: Column[] = [
  { name: "claimed ε", show: ({ certificate }) => plain(certificate?.epsilon) },
  { name: "accountant's ε", show: ({ certificate }) => plain(certificate?.accountant_epsilon) },
  { name: "audited ε ≥", show: ({ certificate }) => plain(certificate?.audited_epsilon) },
  { name: "δ", show: ({ certificate }) => plain(certificate?.delta) },
];

export function columnsOf(
  chosen: string,
  entries: readonly Entry[],
  catalogue: Catalogue,
  ofPhase: readonly string[],
): Column[] {
  const [kind, name = ""] = chosen.split(":");
  if (kind === "phase") return ofPhase.map((one) => secondary(one, catalogue));
  if (kind === "metric") return metricColumns(name);
  if (kind === "intervals") return INTERVALS;
  if (kind === "certificate") return CERTIFICATE;
  if (kind !== "suite") return PARTS;
  return (suiteColumns(entries).get(name) ?? []).map((column) => {
    const info = columnInfo(catalogue, name, column);
    return {
      name: info.title,
      title: explain(info),
      show: (entry) => plain(entry.suites[name]?.[column]),
    };
  });
}

/** A column that the phase chose, named by its suite, a dot and its name. */
function secondary(chosen: string, catalogue: Catalogue): Column {
  const { suite, info } = chosenColumn(catalogue, chosen);
  return {
    name: info.title,
    title: `${suiteTitle(catalogue, suite)}. ${explain(info)}`,
    show: (entry) => plain(entry.suites[suite]?.[info.name]),
  };
}

function metricColumns(metric: string): Column[] {
  return [
    {
      name: "score",
      show: ({ other_scores: { [metric]: other } }) =>
        other ? score(other.final_score, other.ci_low, other.ci_high) : NONE,
    },
    {
      name: "95% interval",
      show: ({ other_scores: { [metric]: other } }) => (other ? interval(other.ci_low, other.ci_high) : NONE),
    },
    {
      name: "F",
      show: ({ other_scores: { [metric]: other } }) => (other ? score(other.forgetting_quality) : NONE),
    },
    {
      name: "utility",
      show: ({ other_scores: { [metric]: other } }) => (other ? other.utility.toFixed(3) : NONE),
    },
  ];
}
