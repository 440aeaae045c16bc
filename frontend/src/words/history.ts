/** A team's submissions to a phase, one after another. */
import type { Standing, Submission } from "../api/types";
import { count, score } from "./numbers";

/** One scored submission, by its place in the order of submitting. */
export interface Try {
  number: number;
  score: number;
  low: number;
  high: number;
  isThis: boolean;
}

/** The scored ones of a listing, oldest first. */
export function scoredOf(
  newestFirst: readonly Pick<Submission, "id" | "score" | "reference">[],
  id: string,
): Try[] {
  return [...newestFirst]
    .reverse()
    .flatMap(({ id: own, score: its, reference }) =>
      its && reference === "none"
        ? [{ score: its.final_score, low: its.ci_low, high: its.ci_high, isThis: own === id }]
        : [],
    )
    .map((one, place) => ({ number: place + 1, ...one }));
}

export function historySentence(tries: readonly Try[]): string {
  const [first] = tries;
  if (!first) return "Nothing is scored yet.";
  const best = tries.reduce((found, one) => (one.score > found.score ? one : found), first);
  const same = tries.filter((one) => one !== best && one.high >= best.low).length;
  const rest = same === 0 ? "" : ` ${count(same, "other")} may be as good: their intervals reach up to it.`;
  return `${count(tries.length, "scored submission")}; the best is number ${best.number} with ${score(best.score, best.low, best.high)}.${rest}`;
}

/** What the best of several tries owes to their number. */
export function luckSentence({ draws, luck }: Pick<Standing["place"], "draws" | "luck">): string | null {
  if (draws < 2) return null;
  return `The best of ${draws} equally good entries is expected to be ${score(luck)} above their mean by chance alone.`;
}
