import * as Plot from "@observablehq/plot";
import type { ReactNode } from "react";
import { Chart } from "../../ui/Chart";
import type { Try } from "../../words/history";
import { historySentence } from "../../words/history";

/** Each submission's score with its 95% interval, in the order in which they were submitted. */
export default function HistoryChart({ of, children }: { of: readonly Try[]; children: ReactNode }) {
  const sentence = historySentence(of);
  return (
    <Chart of={of} draw={draw} label={sentence}>
      {sentence} The bars are 95% intervals; the ring is this submission. {children}
    </Chart>
  );
}

function draw(tries: readonly Try[], width: number): Element {
  const every = Math.ceil(tries.length / 10);
  const numbers = tries.map((one) => one.number).filter((number) => (number - 1) % every === 0);
  return Plot.plot({
    width,
    height: 220,
    marginLeft: 52,
    marginBottom: 36,
    marginTop: 20,
    className: "chart",
    style: { background: "transparent" },
    x: { label: "submission", ticks: numbers, tickFormat: String, tickSize: 3, inset: 12 },
    y: { label: "score", grid: true, nice: true, ticks: 4, tickSize: 3, zero: true },
    marks: [
      Plot.ruleX(tries, { x: "number", y1: "low", y2: "high", stroke: "var(--river)", strokeWidth: 2 }),
      Plot.dot(tries, { x: "number", y: "score", fill: "var(--river)", r: 4 }),
      Plot.dot(
        tries.filter((one) => one.isThis),
        { x: "number", y: "score", stroke: "var(--warn)", strokeWidth: 2, r: 8 },
      ),
      Plot.ruleY([0], { stroke: "var(--line-strong)" }),
    ],
  });
}
