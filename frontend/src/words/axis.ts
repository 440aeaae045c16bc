/** The axis that scores are drawn on: even, or logarithmic above a small number so that zero has its place, too. */
import { reach } from "./board";

export type Scale = "linear" | "log";

export interface Axis {
  scale: Scale;
  /** The right end; the left one is 0. */
  to: number;
  /** Where a logarithmic axis turns even, below which it shows what differs from 0 by little. */
  evenBelow: number;
  /** Numbers to label, from 0 on. */
  ticks: number[];
}

/** How far an axis may go below its right end: scores that differ by more are the same to the eye. */
const DECADES = 4;
/** Above this ratio of the largest to the smallest score an even axis squeezes the small ones into one point. */
const SQUEEZED = 20;

/** The scale that shows these scores best. */
export function fittingScale(scores: readonly number[]): Scale {
  const positive = scores.filter((score) => score > 0);
  return Math.max(0, ...positive) > SQUEEZED * Math.min(...positive) ? "log" : "linear";
}

/** Make the axis for scores and the upper ends of their intervals. */
export function axisOf(scale: Scale, scores: readonly number[], highs: readonly number[]): Axis {
  const to = reach(highs.map((ci_high) => ({ ci_high })));
  const positive = scores.filter((score) => score > 0);
  const smallest = Math.max(Math.min(to, ...positive), to / 10 ** DECADES);
  const evenBelow = tidy(10 ** Math.round(Math.log10(smallest)));
  return { scale, to, evenBelow, ticks: scale === "linear" ? evenTicks(to) : decades(evenBelow, to) };
}

/** The ticks whose labels keep clear of each other, where one takes this share of the axis. */
export function labelled(axis: Axis, share: number): number[] {
  const kept: number[] = [];
  for (const tick of axis.ticks) {
    const last = kept.at(-1);
    if (last === undefined || placeOn(axis, tick) - placeOn(axis, last) >= share) kept.push(tick);
  }
  return kept;
}

/** Where a score stands on its axis, from 0 at the left to 1 at the right. */
export function placeOn({ scale, to, evenBelow }: Axis, score: number): number {
  const share = scale === "linear" ? score / to : Math.log1p(score / evenBelow) / Math.log1p(to / evenBelow);
  return Math.min(1, Math.max(0, share));
}

function evenTicks(to: number): number[] {
  const power = 10 ** Math.floor(Math.log10(to));
  const step = [0.1, 0.2, 0.25, 0.5, 1, 2, 2.5].find((one) => to / (one * power) <= 5) ?? 5;
  const count = Math.floor(to / (step * power) + 1e-9);
  return Array.from({ length: count + 1 }, (_, tick) => tidy(tick * step * power));
}

function decades(from: number, to: number): number[] {
  const ticks = [0];
  for (let tick = from; tick <= to * (1 + 1e-9); tick *= 10) ticks.push(tidy(tick));
  return ticks;
}

/** 0.1 + 0.2 is 0.3 to a reader. */
function tidy(number: number): number {
  return Number(number.toPrecision(6));
}
