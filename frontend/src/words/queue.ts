/** What a queue tells beyond its rows. */
import type { Queue } from "../api/types";

const PATIENCE_S = 60; // within which a worker that serves what waits has taken it

/** How much of the queue there is to show: the server sends so many evaluations at most. */
export function extent({ evaluations, phases }: Pick<Queue, "evaluations" | "phases">): string {
  const total = phases.reduce((sum, phase) => sum + phase.queued + phase.running, 0);
  return evaluations.length < total
    ? `the first ${evaluations.length} of ${total}`
    : `all ${evaluations.length}`;
}

/** Whether work waits that nobody takes. */
export function isStuck({
  leases,
  oldest_queued_s: age_s,
}: Pick<Queue, "leases" | "oldest_queued_s">): boolean {
  return leases.length === 0 && age_s !== null && age_s > PATIENCE_S;
}
