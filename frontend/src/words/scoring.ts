/** What a perfect retraining earns in a phase, in words. */
import type { Catalogue, Phase } from "../api/types";
import { score } from "./numbers";

interface Benchmark {
  oracle_seeds: number;
  fitness: { ceiling: number };
}

export function ceilingOf(
  phase: Pick<Phase, "seeds">,
  metric: Pick<Catalogue["metrics"][number], "name" | "perfect"> | undefined,
  benchmark: Benchmark | undefined,
): string {
  if (metric?.perfect !== null && metric?.perfect !== undefined) {
    return `A perfect retraining earns about ${metric.perfect} by ${metric.name}, on every benchmark.`;
  }
  if (!benchmark) return "What a perfect retraining earns differs from benchmark to benchmark.";
  const nearly = benchmark.oracle_seeds === phase.seeds ? "" : " with that many runs, and nearly that here";
  return `A perfect retraining earns ${score(benchmark.fitness.ceiling)}${nearly}, not 1: even models that were retrained differ from one another, and the best of many attacks is never exactly chance.`;
}
