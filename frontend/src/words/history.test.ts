import { expect, test } from "vitest";
import { historySentence, luckSentence, scoredOf } from "./history";

const one = (id: string, final_score: number | null, reference = "none") =>
  ({
    id,
    reference,
    score:
      final_score === null ? null : { final_score, ci_low: final_score - 0.01, ci_high: final_score + 0.01 },
  }) as Parameters<typeof scoredOf>[0][number];

test("scored submissions are numbered from the oldest; references and failures have no number", () => {
  const tries = scoredOf([one("c", 0.2), one("r", 0.9, "retrain"), one("b", null), one("a", 0.1)], "c");
  expect(tries.map(({ number, score, isThis }) => [number, score, isThis])).toEqual([
    [1, 0.1, false],
    [2, 0.2, true],
  ]);
  expect(historySentence(tries)).toBe("2 scored submissions; the best is number 2 with 0.200.");
});

test("what noise does not tell apart from the best is counted", () => {
  expect(historySentence(scoredOf([one("b", 0.2), one("a", 0.19)], "a"))).toContain("1 other may be as good");
});

test("luck belongs to the best of several", () => {
  expect(luckSentence({ draws: 1, luck: 0 })).toBeNull();
  expect(luckSentence({ draws: 7, luck: 0.0123 })).toContain(
    "best of 7 equally good entries is expected to be 0.0123",
  );
});
