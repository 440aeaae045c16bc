/** What a check of a file found, in a sentence. */
import type { Checked } from "../api/types";
import { bytes, plain } from "./numbers";

const KINDS: Record<Checked["kind"], string> = {
  module: "a module",
  archive: "an archive",
  notebook: "a notebook",
};

/** What may make a submission fail although it was taken; empty if nothing is known. */
export function warned({ warnings }: Checked): string {
  return warnings.length ? `Warning: ${warnings.join(" ")}` : "";
}

export function checked({ kind, size_bytes, claim }: Checked): string {
  const claims = claim ? ` It claims (${plain(claim.epsilon)}, ${claim.delta})-unlearning.` : "";
  return `Ready to submit: ${KINDS[kind]} of ${bytes(size_bytes)}.${claims}`;
}
