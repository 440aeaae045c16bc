/** What is left of a team's submissions in any 24 hours, and in all, in words. The server counts. */
import type { Quota } from "../api/types";
import { count } from "./numbers";
import { moment, span } from "./time";

export function quotaLeft(quota: Quota, now: number, timeZone?: string): string {
  const { left, left_in_all: inAll, quota_per_day: perDay, next_slot_at: next } = quota;
  if (perDay === 0) return "This phase accepts no submissions: its quota is 0.";
  if (inAll === 0) return "Your team has used all its submissions to this phase.";
  if (left > 0 || next === null) {
    const most = inAll === null ? "" : `, ${inAll} more in all`;
    return `Your team can make ${count(left, "more submission")} now (${perDay} in any 24 hours${most}).`;
  }
  const used = `Your team has made ${perDay} of ${count(perDay, "submission")} in 24 hours.`;
  const waitS = (Date.parse(next) - now) / 1000;
  return waitS <= 0
    ? `${used} It can submit again now.`
    : `${used} It can submit again in ${span(waitS)}, at ${moment(next, timeZone)}.`;
}
