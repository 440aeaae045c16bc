/** What a campaign moves, in the order in which one looks at it. */
import type { Move } from "../api/types";

/** Whether a team comes to another rank, onto the board or off it. */
export function isMoved({ before, after }: Pick<Move, "before" | "after">): boolean {
  return (before?.rank ?? null) !== (after?.rank ?? null);
}

/** First what moves beyond noise, then what else moves or could not be run again, then what stays; each as on the board. */
export function movedFirst(moves: readonly Move[]): Move[] {
  const order = (move: Move) => {
    if (move.separated) return 0;
    return isMoved(move) || move.re_run_failed ? 1 : 2;
  };
  return moves.toSorted((one, other) => order(one) - order(other));
}

/** The rank, and in brackets the ranks that noise allows where there are several: "3 (2–5)". */
export function rankOf(place: Move["before"]): string {
  if (!place || place.rank === null) return "–";
  const { rank, rank_best: best, rank_worst: worst } = place;
  return best === null || worst === null || best === worst ? `${rank}` : `${rank} (${best}–${worst})`;
}
