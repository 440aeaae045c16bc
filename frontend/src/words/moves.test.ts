import { expect, it } from "vitest";
import type { Move } from "../api/types";
import { rankOf } from "./moves";

function place(rank: number | null, best = rank, worst = rank): NonNullable<Move["before"]> {
  return {
    rank,
    rank_best: best,
    rank_worst: worst,
    final_score: 0.1,
    ci_low: 0,
    ci_high: 0.2,
    submission_id: "",
  };
}

it("gives a rank with those that noise allows", () => {
  expect([place(3, 2, 5), place(1, 1, 1), place(null), null].map(rankOf)).toEqual(["3 (2–5)", "1", "–", "–"]);
});
