import { expect, test } from "vitest";
import { ceilingOf } from "./scoring";

const BENCHMARK = { oracle_seeds: 512, fitness: { ceiling: 0.1833 } };

test("the ceiling is the metric's own, or the benchmark's at its number of runs", () => {
  expect(ceilingOf({ seeds: 16 }, { name: "lethe-2", perfect: 1 }, BENCHMARK)).toContain(
    "earns about 1 by lethe-2",
  );
  expect(ceilingOf({ seeds: 512 }, { name: "neurips-2023", perfect: null }, BENCHMARK)).toMatch(
    /earns 0.1833, not 1/,
  );
  expect(ceilingOf({ seeds: 16 }, { name: "neurips-2023", perfect: null }, BENCHMARK)).toContain(
    "nearly that here",
  );
});
