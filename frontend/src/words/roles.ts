import type { CompetitionRole } from "../api/types";

const RANK: Record<CompetitionRole, number> = { participant: 0, reviewer: 1, organiser: 2, owner: 3 };

/** Whether a role in a competition is at least another. The server decides again. */
export function may(role: CompetitionRole | null | undefined, least: CompetitionRole): boolean {
  return !!role && RANK[role] >= RANK[least];
}
