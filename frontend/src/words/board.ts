/** How a board is drawn: the reach of its axis, its tie brackets, its secondary columns. */
import type { Entry } from "../api/types";

/** Where a row stands in the bracket of its tie group; rows between its members are passed through. */
export type Bracket = "none" | "start" | "middle" | "end" | "through";

/** Give each row of a board its place in a bracket. A group of one has none. */
export function brackets(entries: readonly Pick<Entry, "tie_group">[]): Bracket[] {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  entries.forEach(({ tie_group: group }, row) => {
    if (group === null) return;
    if (!first.has(group)) first.set(group, row);
    last.set(group, row);
  });
  return entries.map(({ tie_group: group }, row) => {
    if (group !== null && first.get(group) !== last.get(group)) {
      if (first.get(group) === row) return "start";
      return last.get(group) === row ? "end" : "middle";
    }
    const within = [...first].some(([of, start]) => start < row && row < (last.get(of) ?? 0));
    return within ? "through" : "none";
  });
}

/** The right end of the axis of scores: the highest interval, rounded up to a number that reads well. */
export function reach(entries: readonly Pick<Entry, "ci_high">[]): number {
  const highest = Math.max(0, ...entries.map((entry) => entry.ci_high));
  if (highest === 0) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  const step = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((one) => one * power >= highest) ?? 10;
  return Number((step * power).toPrecision(3));
}

/** The columns of each suite that any entry has, in the order in which they come. */
export function suiteColumns(entries: readonly Pick<Entry, "suites">[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { suites } of entries) {
    for (const [suite, columns] of Object.entries(suites)) {
      const known = found.get(suite) ?? [];
      found.set(suite, [...known, ...Object.keys(columns).filter((column) => !known.includes(column))]);
    }
  }
  return found;
}

/** A name of the server as words: "out_of_memory" is "out of memory". */
export function inWords(name: string): string {
  return name.replaceAll(/[_-]/g, " ");
}

export const UNRANKED = {
  reference: "reference",
  too_slow: "too slow to be ranked",
  too_few_models: "too few distinct models",
  forget_set_pinned: "forget set pinned",
} as const;
