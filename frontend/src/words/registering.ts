import type { OwnRegistration } from "../api/types";

/** What a reader has to do, or to know, about taking part. */
export type Step = "nothing" | "sign in" | "form" | "waiting" | "refused" | "done";

export function stepOf(own: OwnRegistration, signedIn: boolean): Step {
  if (own.registration === "open" && own.rules_version === null && own.state !== "refused") return "nothing";
  if (!signedIn) return "sign in";
  if (own.state === "refused") return "refused";
  if (own.admitted) return "done";
  const accepted = own.rules_version === null || own.accepted_version === own.rules_version;
  return own.state === "waiting" && own.registration === "approval" && accepted ? "waiting" : "form";
}
