/** Histograms as they are drawn, and as they are told to those who cannot see them. */
import type { Confidences, Histograms } from "../api/types";
import { count, plain } from "./numbers";
import { runTime } from "./time";

export interface Bar {
  from: number;
  to: number;
  count: number;
  /** What an example of this bucket earns. */
  points: string;
}

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** The buckets of epsilon; the last bar holds all that lies beyond them and earns nothing. */
export function epsilonBars({ bucket, epsilons }: Pick<Histograms, "bucket" | "epsilons">): Bar[] {
  return epsilons.map((amount, place) => ({
    from: place * bucket,
    to: (place + 1) * bucket,
    count: amount,
    points: place === epsilons.length - 1 ? "0" : halved(place),
  }));
}

export function epsilonSentence(of: Pick<Histograms, "bucket" | "epsilons">): string {
  const bars = epsilonBars(of);
  const within = bars.slice(0, -1).reduce((sum, bar) => sum + bar.count, 0);
  const all = within + (bars.at(-1)?.count ?? 0);
  const earning = `${within} of ${count(all, "forget example")} earn points`;
  const fullest = bars
    .slice(0, -1)
    .reduce<Bar | null>((best, bar) => (bar.count > (best?.count ?? 0) ? bar : best), null);
  return fullest
    ? `${earning}; the fullest bucket is ε from ${fullest.from} to ${fullest.to}.`
    : `${earning}.`;
}

export interface Step {
  /** The middle of a bin. */
  at: number;
  unlearned: number;
  oracle: number;
}

/** Both sides in the same bins, as percentages of their own numbers. */
export function confidenceSteps({ low, high, unlearned, oracle }: Confidences): Step[] {
  const [mine, theirs] = [sum(unlearned), sum(oracle)];
  const width = (high - low) / unlearned.length;
  return unlearned.map((amount, bin) => ({
    at: low + (bin + 0.5) * width,
    unlearned: percent(amount, mine),
    oracle: percent(oracle[bin] ?? 0, theirs),
  }));
}

/** How much of the two distributions is common to both, 0 to 100%: the sum of the lower one over all bins. */
export function overlap(of: Confidences): number {
  return sum(confidenceSteps(of).map((step) => Math.min(step.unlearned, step.oracle)));
}

export function confidenceSentence(of: Confidences): string {
  return `The distributions of the unlearned models and of the oracle overlap by ${overlap(of).toFixed(0)}%.`;
}

export interface Spread {
  shortest: number;
  median: number;
  longest: number;
}

export function spread(values: readonly number[]): Spread | null {
  const sorted = [...values].sort((a, b) => a - b);
  const [shortest, longest] = [sorted[0], sorted.at(-1)];
  if (shortest === undefined || longest === undefined) return null;
  const [below, above] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return { shortest, median: ((below ?? shortest) + (above ?? longest)) / 2, longest };
}

/** Count values in bins of equal width from the least to the greatest; equal values share one bin. */
export function binned(values: readonly number[], bins = 24): { from: number; to: number; count: number }[] {
  const found = spread(values);
  if (!found) return [];
  const { shortest: low, longest: high } = found;
  if (low === high) return [{ from: low * 0.95, to: high * 1.05, count: values.length }];
  const width = (high - low) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.floor((value - low) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts.map((amount, bin) => ({
    from: low + bin * width,
    to: low + (bin + 1) * width,
    count: amount,
  }));
}

export function spreadSentence({ shortest, median, longest }: Spread): string {
  return `The median run took ${runTime(median)}, the shortest ${runTime(shortest)}, the longest ${runTime(longest)}.`;
}

const PLACES: Record<string, string> = {
  best: "One of the best",
  median: "One in the middle",
  worst: "One of the worst",
  all: "One of a few",
};

export function exampleTitle({ place, example, epsilon }: Histograms["examples"][number]): string {
  return `${PLACES[place] ?? place}: example ${example}, ε = ${plain(epsilon)}`;
}

/** A half to the power of `times`. */
function halved(times: number): string {
  const power = [...String(times)].map((digit) => SUPERSCRIPTS[Number(digit)]).join("");
  return ["1", "½", "¼", "⅛"][times] ?? `2⁻${power}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function percent(amount: number, of: number): number {
  return of === 0 ? 0 : (100 * amount) / of;
}
