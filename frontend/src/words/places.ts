/** A place in the queue, in words. */
import type { QueuePlace } from "../api/types";
import { count } from "./numbers";
import { moment } from "./time";

export function placeInWords({ ahead, more, starts, ends }: QueuePlace, timeZone?: string): string {
  const number = `${more ? "More than " : ""}${count(ahead, "shard")}`;
  const first =
    ahead === 0 ? "It is next in the queue." : `${number} (of a few runs each) ahead in the queue.`;
  const at = (what: string, span: QueuePlace["starts"]) =>
    span
      ? [
          `It is likely to ${what} at ${moment(span.expected, timeZone)} (90%: ${moment(span.low, timeZone)} to ${moment(span.high, timeZone)}).`,
        ]
      : [];
  return [first, ...at("start", starts), ...at("end", ends)].join(" ");
}
