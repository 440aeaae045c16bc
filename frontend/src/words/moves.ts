/** Places in the preview of a rescoring, in words. */
import type { Move } from "../api/types";

/** The rank, and in brackets the ranks that noise allows where there are several: "3 (2–5)". */
export function rankOf(place: Move["before"]): string {
  if (!place || place.rank === null) return "–";
  const { rank, rank_best: best, rank_worst: worst } = place;
  return best === null || worst === null || best === worst ? `${rank}` : `${rank} (${best}–${worst})`;
}
