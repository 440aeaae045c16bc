import { describe, expect, it } from "vitest";
import type { Move } from "../api/types";
import { isMoved, movedFirst, rankOf } from "./moves";

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

function move(team: string, before: Move["before"], after: Move["after"], more: Partial<Move> = {}): Move {
  return {
    team,
    reference: "none",
    before,
    after,
    ranks_up: null,
    separated: false,
    re_run_failed: false,
    ...more,
  };
}

describe("isMoved", () => {
  it.each([
    ["another rank", place(2), place(3), true],
    ["the same rank", place(2), place(2, 1, 4), false],
    ["onto the board", null, place(4), true],
    ["off the board", place(4), null, true],
    ["unranked before and after", place(null), place(null), false],
    ["a rank lost", place(1), place(null), true],
  ])("%s", (_, before, after, expected) => {
    expect(isMoved({ before, after })).toBe(expected);
  });
});

it("shows first what moves beyond noise, last what stays, and keeps to the board's order", () => {
  const moves = [
    move("stays", place(1), place(1)),
    move("up", place(3), place(2)),
    move("again", place(4), place(4), { re_run_failed: true }),
    move("far", place(9), place(5), { separated: true }),
    move("stays too", place(6), place(6)),
  ];

  expect(movedFirst(moves).map(({ team }) => team)).toEqual(["far", "up", "again", "stays", "stays too"]);
});

it("gives a rank with those that noise allows", () => {
  expect([place(3, 2, 5), place(1, 1, 1), place(null), null].map(rankOf)).toEqual(["3 (2–5)", "1", "–", "–"]);
});
