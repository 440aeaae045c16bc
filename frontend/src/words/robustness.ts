/** What the robustness stage of a phase costs, in words. */
import type { Benchmark } from "../api/types";
import { span } from "./time";

type Costs = NonNullable<Benchmark["robustness"]>;

export function robustnessHint(costs: Costs, runs: number): string {
  const extra = runs * costs.reading_s + Math.min(runs, costs.relearned) * costs.relearning_s;
  return `Weights are rounded, images perturbed, and some models fine-tuned, to see what they still remember. It adds about ${span(Math.ceil(extra))} of a worker to each submission, and ranks nothing.`;
}
