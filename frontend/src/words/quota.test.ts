import { expect, it } from "vitest";
import type { Quota } from "../api/types";
import { quotaLeft } from "./quota";

const NOW = Date.parse("2026-06-01T12:00:00Z");
const PLACE = { ahead: 0, more: false, starts: null, ends: null };
const QUOTA: Quota = {
  team: "ada",
  quota_per_day: 5,
  left: 3,
  left_in_all: null,
  next_slot_at: null,
  place: PLACE,
};

it.each<[string, Partial<Quota>, string]>([
  ["several are left", {}, "Your team can make 3 more submissions now (5 in any 24 hours)."],
  [
    "all are counted",
    { left_in_all: 9 },
    "Your team can make 3 more submissions now (5 in any 24 hours, 9 more in all).",
  ],
  ["all are used", { left: 0, left_in_all: 0 }, "Your team has used all its submissions to this phase."],
  ["one is left", { left: 1 }, "Your team can make 1 more submission now (5 in any 24 hours)."],
  [
    "none is left",
    { left: 0, next_slot_at: "2026-06-01T16:30:00Z" },
    "Your team has made 5 of 5 submissions in 24 hours. It can submit again in 4 h 30 min, at 1 Jun 2026, 18:30.",
  ],
  [
    "the wait is over",
    { left: 0, next_slot_at: "2026-06-01T12:00:00Z" },
    "Your team has made 5 of 5 submissions in 24 hours. It can submit again now.",
  ],
  [
    "there never were any",
    { quota_per_day: 0, left: 0 },
    "This phase accepts no submissions: its quota is 0.",
  ],
])("says what is left when %s", (_, changes, sentence) => {
  expect(quotaLeft({ ...QUOTA, ...changes }, NOW, "Europe/Berlin")).toBe(sentence);
});
