/** What a check of a file found, in a sentence. */
import type { Checked } from "../api/types";
import { bytes, count, plain } from "./numbers";
import { placeInWords } from "./places";
import { span } from "./time";

const KINDS: Record<Checked["kind"], string> = {
  module: "a module",
  archive: "an archive",
  notebook: "a notebook",
};

/** What may make a submission fail although it was taken; empty if nothing is known. */
export function warned({ warnings, forecast }: Checked): string {
  const all = [...warnings, ...forecast.warnings];
  return all.length ? `Warning: ${all.join(" ")}` : "";
}

/** What a submission of the file is likely to take, each as a sentence or two. */
export function forecastInWords({ forecast }: Checked, timeZone?: string): string[] {
  const { run_s: run, total_s: total, peak_memory_bytes: memory, place } = forecast;
  const where = place ? [placeInWords(place, timeZone)] : [];
  if (!run || total === null) {
    return ["No run of this code is known yet, so nobody can tell its time and memory.", ...where];
  }
  const scaled =
    forecast.scale === 1
      ? ""
      : ` The times are multiplied by ${plain(forecast.scale)} for the size of the training set.`;
  const needs = memory === null ? "" : ` It needs ${bytes(memory)} of memory.`;
  return [
    `A run is likely to take ${plain(run.expected)} s (90%: ${plain(run.low)} to ${plain(run.high)} s), all runs together ${span(total)}.${needs} This follows from ${count(forecast.runs, "run")} of this code in phase ${forecast.phase}.${scaled}`,
    ...where,
  ];
}

export function checked({ kind, size_bytes, claim }: Checked): string {
  const claims = claim ? ` It claims (${plain(claim.epsilon)}, ${claim.delta})-unlearning.` : "";
  return `Ready to submit: ${KINDS[kind]} of ${bytes(size_bytes)}.${claims}`;
}
