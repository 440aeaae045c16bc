import { expect, it } from "vitest";
import type { Checked } from "../api/types";
import { checked, warned } from "./checks";

const MODULE = {
  kind: "module",
  sha256: "",
  size_bytes: 2048,
  claim: null,
  submitted_as: null,
  warnings: [] as string[],
} as Checked;

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
