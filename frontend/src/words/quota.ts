/** What is left of a team's submissions in any 24 hours, in words. The server counts. */
import type { Quota } from "../api/types";
import { count } from "./numbers";
import { moment, span } from "./time";

export function quotaLeft(quota: Quota, now: number, timeZone?: string): string {
  const { left, quota_per_day: perDay, next_slot_at: next } = quota;
  if (perDay === 0) return "This phase takes no submissions: its quota is 0.";
  if (left > 0 || next === null) return `${count(left, "submission")} of ${perDay} left in these 24 hours.`;
  const used = `All ${count(perDay, "submission")} of these 24 hours are used.`;
  const waitS = (Date.parse(next) - now) / 1000;
  return waitS <= 0
    ? `${used} The next is possible now.`
    : `${used} The next is possible in ${span(waitS)}, at ${moment(next, timeZone)}.`;
}
