import { expect, test } from "vitest";
import { alike } from "./copies";

test("a pair says whether code or weights are alike, and how much", () => {
  expect(alike({ kind: "code", same_code: true, likeness: 1 })).toBe("same code");
  expect(alike({ kind: "code", same_code: false, likeness: 0.93 })).toBe("code 93.0% alike");
  expect(alike({ kind: "weights", same_code: false, likeness: 0.97 })).toBe("weights 97.0% alike");
  expect(alike({ kind: "weights", same_code: true, likeness: 1 })).toBe("weights > 99.9% alike, same code");
});
