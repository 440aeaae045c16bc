/** What a check of a file found, in a sentence. */
import type { Checked } from "../api/types";
import { bytes, plain } from "./numbers";

const KINDS: Record<Checked["kind"], string> = {
  module: "a module",
  archive: "an archive",
  notebook: "a notebook",
};

export function checked({ kind, size_bytes, claim }: Checked): string {
  const claims = claim ? ` It claims (${plain(claim.epsilon)}, ${claim.delta})-unlearning.` : "";
  return `Ready to submit: ${KINDS[kind]} of ${bytes(size_bytes)}.${claims}`;
}
