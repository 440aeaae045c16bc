/** How far an uploaded benchmark is, in words, and what is sent of it next. */
import type { BenchmarkUpload } from "../api/types";
import { bytes } from "./numbers";

type Progress = Pick<
  BenchmarkUpload,
  "state" | "received_bytes" | "checked_bytes" | "size_bytes" | "reason" | "found"
>;

/** Whether the server works on it, so that it changes by itself. */
export function isWorkedOn({ state }: Pick<BenchmarkUpload, "state">): boolean {
  return state === "verifying" || state === "publishing";
}

export function uploadInWords({ state, received_bytes, checked_bytes, size_bytes, reason, found }: Progress) {
  switch (state) {
    case "uploading":
      return `${bytes(received_bytes)} of ${bytes(size_bytes)} arrived. Choose the same file to go on.`;
    case "verifying":
      return reason ?? `Checked ${bytes(checked_bytes)} of ${bytes(size_bytes)}.`;
    case "waiting":
      return found && found.problems.length > 0
        ? "It is whole, but unfit. It waits for consent."
        : "It is whole. It waits for consent.";
    case "publishing":
      return reason ?? "It is being published.";
    case "published":
      return "Phases can use it.";
    case "refused":
      return reason ?? "It was refused.";
  }
}

/** The bytes of a file that are due, given how many the server has. */
export function nextPart(size: number, received: number, partBytes: number): readonly [number, number] {
  return [received, Math.min(received + partBytes, size)];
}

/** Write a digest as the API has it. */
export function hex(digest: ArrayBuffer): string {
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
