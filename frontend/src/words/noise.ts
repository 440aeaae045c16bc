import type { Score } from "../api/types";

type Noisy = Pick<Score, "variance" | "seeds">;

const TITLES = {
  runs: "other runs",
  originals: "other originals",
  subjects: "other examples to forget",
} as const;

/** "12% other runs, 60% other originals, 28% other examples to forget"; null if the score does not tell, or has no noise. */
export function noiseShares({ variance }: Noisy): string | null {
  if (!variance) return null;
  const parts = (Object.keys(TITLES) as (keyof typeof TITLES)[]).flatMap((name) => {
    const error = variance[name];
    return error === null || error === undefined ? [] : [{ name, square: error ** 2 }];
  });
  const whole = parts.reduce((sum, { square }) => sum + square, 0);
  if (whole === 0) return null;
  return parts.map(({ name, square }) => `${Math.round((100 * square) / whole)}% ${TITLES[name]}`).join(", ");
}

/** What the intervals of a score leave out; null if nothing is known to be. */
export function leftOut({ variance, seeds }: Noisy): string | null {
  if (!variance) return null;
  if (variance.starts === null || variance.starts === undefined)
    return "The original models of the runs are unknown, so no interval covers their draw.";
  if (variance.starts === 1 && seeds > 1)
    return "All runs started from one original model, so no interval covers the draw of that original. On another original the same code may score otherwise.";
  return null;
}
