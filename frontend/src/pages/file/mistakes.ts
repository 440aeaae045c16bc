import type { Problem } from "../../api/client";

/** One thing that is wrong in a competition's file. */
export interface Mistake {
  line: number;
  column: number;
  path: string;
  problem: string;
  remedy: string;
}

/** The mistakes that a refusal names; none if it is about something else. */
export function mistakesIn({ code, details }: Problem): Mistake[] {
  if (code !== "bad_competition_file" || !Array.isArray(details.errors)) return [];
  return details.errors.filter(isMistake);
}

function isMistake(one: unknown): one is Mistake {
  return typeof one === "object" && one !== null && "line" in one && "problem" in one && "remedy" in one;
}
