import type { Copy } from "../api/types";
import { share } from "./numbers";

/** Says by what two entries are near-identical. */
export function alike({ kind, same_code, likeness }: Pick<Copy, "kind" | "same_code" | "likeness">): string {
  if (kind === "code") return same_code ? "same code" : `code ${share(likeness)} alike`;
  return `weights ${share(likeness)} alike${same_code ? ", same code" : ""}`;
}
