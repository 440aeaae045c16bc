import { expect, it } from "vitest";
import type { QueuePlace } from "../api/types";
import { placeInWords } from "./places";

const NOTHING: QueuePlace = { ahead: 0, more: false, starts: null, ends: null };
const SPAN = {
  expected: "2026-06-01T12:00:00Z",
  low: "2026-06-01T11:00:00Z",
  high: "2026-06-01T13:00:00Z",
};

it.each<[Partial<QueuePlace>, string]>([
  [{}, "It is next in the queue."],
  [{ ahead: 1 }, "1 shard (of a few runs each) ahead in the queue."],
  [{ ahead: 1000, more: true }, "More than 1,000 shards (of a few runs each) ahead in the queue."],
  [
    { ends: SPAN },
    "It is next in the queue. It is likely to end at 1 Jun 2026, 12:00 (90%: 1 Jun 2026, 11:00 to 1 Jun 2026, 13:00).",
  ],
])("says %o in words", (change, words) => {
  expect(placeInWords({ ...NOTHING, ...change }, "UTC")).toBe(words);
});
