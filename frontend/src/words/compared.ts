/** What to call two submissions that are compared. */
import type { Comparison } from "../api/types";
import { isolated } from "./isolated";

/** Their names; with their teams, where two teams gave them or the names alone would not tell them apart. */
export function namesOf({ first, second }: Pick<Comparison, "first" | "second">): [string, string] {
  const [one, other] = [isolated(first.name), isolated(second.name)];
  if (first.team !== second.team)
    return [`${one} (${isolated(first.team)})`, `${other} (${isolated(second.team)})`];
  if (first.name !== second.name) return [one, other];
  return [`${one} (first)`, `${other} (second)`];
}
