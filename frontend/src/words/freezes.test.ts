import { expect, test } from "vitest";
import type { Freeze } from "../api/types";
import { freezeInWords, isUnderWay } from "./freezes";

const FREEZE: Freeze = {
  id: "1",
  state: "queued",
  done: 0,
  total: 0,
  available: false,
  size_bytes: null,
  head: null,
  reason: null,
  created_at: "2026-01-01T00:00:00Z",
  ended_at: null,
};

test("an archive says how far it is", () => {
  const say = (change: Partial<Freeze>) => freezeInWords({ ...FREEZE, ...change });
  expect(say({})).toBe("It waits for its turn.");
  expect(say({ state: "running" })).toBe("It begins.");
  expect(say({ state: "running", done: 1200, total: 3000 })).toBe("1,200 of 3,000 rows written.");
  expect(say({ state: "failed", reason: "It is a draft." })).toBe("It is a draft.");
  expect(say({ state: "done", available: true, size_bytes: 3 * 1024 ** 2 })).toBe("Ready, 3 MiB.");
  expect(say({ state: "done" })).toBe("It is no longer kept.");
});

test("an archive is under way until it has ended", () => {
  expect((["queued", "running", "done", "failed"] as const).map((state) => isUnderWay({ state }))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
