/** How far an archive of a competition is, in words. */
import type { Freeze } from "../api/types";
import { bytes, count } from "./numbers";

export function isUnderWay({ state }: Pick<Freeze, "state">): boolean {
  return state === "queued" || state === "running";
}

export function freezeInWords({ state, available, done, total, size_bytes, reason }: Freeze): string {
  switch (state) {
    case "queued":
      return "It waits for its turn.";
    case "running":
      return total > 0 ? `${done.toLocaleString("en")} of ${count(total, "row")} written.` : "It begins.";
    case "failed":
      return reason ?? "It failed.";
    case "done":
      return available ? `Ready, ${bytes(size_bytes ?? 0)}.` : "It is no longer kept.";
  }
}
