import { expect, it } from "vitest";
import type { Queue } from "../api/types";
import { extent, isStuck } from "./queue";

const ROWS = Array.from({ length: 100 }) as Queue["evaluations"];
const LEASES = Array.from({ length: 1 }) as Queue["leases"];

function phase(queued: number, running: number): Queue["phases"][number] {
  return { competition: "cup", phase: "final", device: "cpu", queued, running, oldest_queued_s: null };
}

it("says how many there are, and how many of them came", () => {
  expect(extent({ evaluations: ROWS, phases: [phase(70, 10), phase(20, 0)] })).toBe("all 100");
  expect(extent({ evaluations: ROWS, phases: [phase(900, 10), phase(20, 0)] })).toBe("the first 100 of 930");
});

it.each([
  ["nothing waits", [], null, false],
  ["it came just now", [], 5, false],
  ["nobody takes it", [], 300, true],
  ["a worker is busy", LEASES, 300, false],
] as const)("where %s", (_, leases, oldest_queued_s, expected) => {
  expect(isStuck({ leases: [...leases], oldest_queued_s })).toBe(expected);
});
