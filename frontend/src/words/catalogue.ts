/** What the server's catalogue says of metrics, columns, flags and alarms. A name that it does not know is shown as words. */
import type { Catalogue, ColumnInfo } from "../api/types";
import { inWords } from "./board";

/** The catalogue before it is there. */
export const NOTHING: Catalogue = { metrics: [], default_metric: "", suites: [], flags: [], alarms: [] };

const BETTER: Record<ColumnInfo["better"], string> = {
  higher: "Higher is better.",
  lower: "Lower is better.",
  oracle: "Closer to the oracle is better.",
  neither: "Shown for comparison.",
};

export function metricOptions(of: Catalogue): { value: string; label: string }[] {
  return of.metrics.map(({ name, title }) => ({ value: name, label: `${title} (${name})` }));
}

export function metricTitle(of: Catalogue, name: string): string {
  return of.metrics.find((one) => one.name === name)?.title ?? name;
}

export function suiteTitle(of: Catalogue, name: string): string {
  return of.suites.find((one) => one.name === name)?.title ?? inWords(name);
}

/** The column of a stored value. */
export function columnInfo(of: Catalogue, suite: string, name: string): ColumnInfo {
  const known = of.suites.find((one) => one.name === suite)?.columns.find((one) => one.name === name);
  return (
    known ?? { name, title: inWords(name), unit: "", better: "neither", meaning: "", oracle_column: null }
  );
}

/** The title of a column that a phase chose, such as ssd.zrf, with its suite. */
export function chosenColumn(of: Catalogue, chosen: string): { suite: string; info: ColumnInfo } {
  const dot = chosen.indexOf(".");
  const suite = chosen.slice(0, dot);
  return { suite, info: columnInfo(of, suite, chosen.slice(dot + 1)) };
}

/** Every column of every suite, to choose from. */
export function columnOptions(of: Catalogue): { value: string; label: string }[] {
  return of.suites.flatMap((suite) =>
    suite.columns.map((column) => ({
      value: `${suite.name}.${column.name}`,
      label: `${suite.title}: ${column.title}`,
    })),
  );
}

/** "Accuracy on retain examples, in share. Higher is better." */
export function explain({ meaning, unit, better }: ColumnInfo): string {
  if (meaning === "") return "";
  return `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}, in ${unit}. ${BETTER[better]}`;
}

export function flagText(of: Catalogue, name: string): string {
  const known = of.flags.find((one) => one.name === name);
  return known ? `${known.meaning} ${known.consequence}` : inWords(name);
}

export function alarmTitle(of: Catalogue, kind: string): string {
  return of.alarms.find((one) => one.kind === kind)?.title ?? inWords(kind);
}
