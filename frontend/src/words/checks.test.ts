import { expect, it } from "vitest";
import type { Checked } from "../api/types";
import { checked, forecastInWords, warned } from "./checks";

const MODULE = {
  kind: "module",
  sha256: "",
  size_bytes: 2048,
  claim: null,
  submitted_as: null,
  warnings: [] as string[],
  forecast: {
    run_s: null,
    total_s: null,
    peak_memory_bytes: null,
    phase: null,
    benchmark: null,
    runs: 0,
    scale: 1,
    place: null,
    warnings: [] as string[],
  },
} as Checked;
const KNOWN: Checked["forecast"] = {
  ...MODULE.forecast,
  run_s: { expected: 2, low: 1.5, high: 2.5 },
  total_s: 128,
  peak_memory_bytes: 300 * 1024 ** 2,
  phase: "check",
  benchmark: "digits",
  runs: 8,
};

it("says what a file would be", () => {
  expect(checked(MODULE)).toBe("Ready to submit: a module of 2 KiB.");
});

it("warns of what may fail", () => {
  expect(warned(MODULE)).toBe("");
  expect(warned({ ...MODULE, warnings: ["a needs a GPU.", "b needs a GPU."] })).toBe(
    "Warning: a needs a GPU. b needs a GPU.",
  );
});

it("repeats what it claims", () => {
  const claim = { epsilon: 0.25, delta: 1e-5 } as Checked["claim"];

  expect(checked({ ...MODULE, kind: "archive", claim })).toBe(
    "Ready to submit: an archive of 2 KiB. It claims (0.250, 0.00001)-unlearning.",
  );
});

it("foretells time and memory from runs of the same code", () => {
  const [runs, queued] = forecastInWords({ ...MODULE, forecast: KNOWN });

  expect(runs).toBe(
    "A run is likely to take 2.00 s (90%: 1.50 to 2.50 s), all runs together 2 min 8 s. It needs 300 MiB of memory. This follows from 8 runs of this code in phase check.",
  );
  expect(queued).toBeUndefined();
});

it("says by how much it multiplied, and what it does not know", () => {
  expect(forecastInWords({ ...MODULE, forecast: { ...KNOWN, scale: 4 } })[0]).toContain("multiplied by 4.00");
  expect(forecastInWords(MODULE)).toEqual([
    "No run of this code is known yet, so nobody can tell its time and memory.",
  ]);
});

it("tells the place in the queue, and warns of limits", () => {
  const place = { ahead: 3, more: false, starts: null, ends: null };

  expect(forecastInWords({ ...MODULE, forecast: { ...KNOWN, place } })[1]).toContain("3 shards");
  expect(warned({ ...MODULE, forecast: { ...KNOWN, warnings: ["Too slow."] } })).toBe("Warning: Too slow.");
});
