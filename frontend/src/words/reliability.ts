/** What of a leaderboard's reliability is shown first. */
import type { Reliability } from "../api/types";

const MOST = 12;

export interface AtRuns {
  metric: string;
  models: number;
  value: number;
  low: number;
  high: number;
}

/** How the order from fewer runs agrees with that of all, for each metric. */
export function byRuns({ orders }: Pick<Reliability, "orders">): AtRuns[] {
  return orders.flatMap(({ metric, models, bins, tau }) =>
    bins === null && tau !== null ? [{ metric, models, value: tau.value, low: tau.low, high: tau.high }] : [],
  );
}

/** The numbers that agree least with the metric of the leaderboard, the least first. */
export function disagreeing({ metric, pairs }: Pick<Reliability, "metric" | "pairs">) {
  return pairs
    .filter(({ first, second }) => first === metric || second === metric)
    .map(({ first, second, tau, entries }) => ({ number: first === metric ? second : first, tau, entries }))
    .toSorted((one, other) => one.tau.value - other.tau.value)
    .slice(0, MOST);
}

/** The suite of a number, null for a metric, and its name there. */
export function nameOf(number: string): [string | null, string] {
  const at = number.lastIndexOf("/");
  return at < 0 ? [null, number] : [number.slice(0, at), number.slice(at + 1)];
}
