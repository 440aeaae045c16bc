import { expect, it } from "vitest";
import type { Checked } from "../api/types";
import { checked } from "./checks";

const MODULE = { kind: "module", sha256: "", size_bytes: 2048, claim: null, submitted_as: null } as Checked;

it("says what a file would be", () => {
  expect(checked(MODULE)).toBe("Ready to submit: a module of 2 KiB.");
});

it("repeats what it claims", () => {
  const claim = { epsilon: 0.25, delta: 1e-5 } as Checked["claim"];

  expect(checked({ ...MODULE, kind: "archive", claim })).toBe(
    "Ready to submit: an archive of 2 KiB. It claims (0.250, 0.00001)-unlearning.",
  );
});
