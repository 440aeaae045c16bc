import { expect, test } from "vitest";
import { Problem } from "../../api/client";
import { mistakesIn } from "./mistakes";

const MISTAKE = { line: 3, column: 1, path: "titel", problem: "No.", remedy: "Yes." };

test("the mistakes of a refused file are told, and of nothing else", () => {
  const refused = (code: string, errors: unknown) => new Problem(422, code, "Refused", { errors });
  expect(mistakesIn(refused("bad_competition_file", [MISTAKE, 3, null]))).toEqual([MISTAKE]);
  expect(mistakesIn(refused("invalid_request", [MISTAKE]))).toEqual([]);
  expect(mistakesIn(refused("bad_competition_file", "x"))).toEqual([]);
});
