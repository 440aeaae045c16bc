import * as Plot from "@observablehq/plot";
import type { Confidences, Histograms } from "../../api/types";
import { Chart } from "../../ui/Chart";
import type { Bar } from "../../words/histograms";
import {
  binned,
  confidenceSentence,
  confidenceSteps,
  epsilonBars,
  epsilonSentence,
  exampleTitle,
  spread,
  spreadSentence,
} from "../../words/histograms";
import { bytes } from "../../words/numbers";
import styles from "./Charts.module.css";

interface Props {
  histograms: Histograms | null;
  runS: readonly number[];
  peakMemoryBytes: number | null;
}

/** What a score is made of, and what its runs took. Loaded only where it is shown. */
export default function Charts({ histograms, runS, peakMemoryBytes }: Props) {
  const times = spread(runS);
  return (
    <>
      <div className={styles.charts}>
        {histograms && (
          <>
            <section>
              <h3>Epsilon of the forget examples</h3>
              <Chart of={histograms} draw={drawEpsilons} label={epsilonSentence(histograms)}>
                Each bar counts the examples in one bucket of ε; the number above it is the points that each
                of them earns. {epsilonSentence(histograms)}
              </Chart>
            </section>
            <section>
              <h3>Confidence on the forget examples</h3>
              <Chart
                of={histograms.confidences}
                draw={drawConfidences}
                label={confidenceSentence(histograms.confidences)}
              >
                <Sides /> {confidenceSentence(histograms.confidences)} The chart pools all models and
                examples; the score compares each example separately.
              </Chart>
            </section>
          </>
        )}
        {times && (
          <section>
            <h3>Time per run</h3>
            <Chart of={runS} draw={drawTimes} label={spreadSentence(times)}>
              {spreadSentence(times)}
              {peakMemoryBytes !== null && ` The largest process used ${bytes(peakMemoryBytes)} of memory.`}
            </Chart>
          </section>
        )}
      </div>
      {histograms && (
        <details className={styles.examples}>
          <summary>Show the confidence on {histograms.examples.length} single examples</summary>
          <p className={styles.note}>
            <Sides /> The better an example is forgotten, the less its two distributions differ.
          </p>
          <div className={styles.charts}>
            {histograms.examples.map((one) => (
              <section key={one.example}>
                <h3>{exampleTitle(one)}</h3>
                <Chart
                  of={one.confidences}
                  draw={drawConfidences}
                  label={confidenceSentence(one.confidences)}
                />
              </section>
            ))}
          </div>
        </details>
      )}
    </>
  );
}

function Sides() {
  return (
    <>
      <span className={styles.unlearned}>Filled: unlearned.</span>{" "}
      <span className={styles.oracle}>Line: oracle.</span>
    </>
  );
}

const LABEL_WIDTH = 34;
const LOOK = {
  marginLeft: 44,
  marginBottom: 36,
  className: "chart",
  style: { background: "transparent" },
};

function drawEpsilons(histograms: Histograms, width: number): Element {
  const bars = epsilonBars(histograms);
  const within = bars.slice(0, -1);
  const every = Math.ceil((LABEL_WIDTH * bars.length) / width);
  const middle = (bar: Bar) => (bar.from + bar.to) / 2;
  return Plot.plot({
    ...LOOK,
    width,
    height: 220,
    marginTop: 24,
    x: {
      label: "ε",
      tickSize: 3,
      ticks: within.filter((_, place) => place % 2 === 0).map((bar) => bar.from),
      tickFormat: String,
    },
    y: { label: null, tickSize: 3, ticks: 4, grid: true, nice: true },
    marks: [
      Plot.rectY(within, { x1: "from", x2: "to", y: "count", fill: "var(--river)", inset: 1 }),
      Plot.rectY(bars.slice(-1), {
        x1: "from",
        x2: "to",
        y: "count",
        fill: "var(--sunken)",
        stroke: "var(--line-strong)",
        inset: 1,
      }),
      Plot.text(
        bars.filter((_, place) => (bars.length - 1 - place) % every === 0),
        { x: middle, text: "points", frameAnchor: "top", dy: -16, fill: "var(--ink-soft)" },
      ),
      Plot.ruleY([0], { stroke: "var(--line-strong)" }),
    ],
  });
}

function drawConfidences(confidences: Confidences, width: number): Element {
  const steps = confidenceSteps(confidences);
  return Plot.plot({
    ...LOOK,
    width,
    height: 200,
    marginTop: 20,
    x: { label: "confidence, nats", tickSize: 3, ticks: Math.max(3, Math.floor(width / 90)) },
    y: { label: "% of models", tickSize: 3, ticks: 3, grid: true, nice: true, domain: [0, highest(steps)] },
    marks: [
      Plot.areaY(steps, { x: "at", y: "unlearned", curve: "step", fill: "var(--river)", fillOpacity: 0.45 }),
      Plot.lineY(steps, { x: "at", y: "unlearned", curve: "step", stroke: "var(--river)" }),
      Plot.lineY(steps, { x: "at", y: "oracle", curve: "step", stroke: "var(--warn)", strokeWidth: 2 }),
      Plot.ruleY([0], { stroke: "var(--line-strong)" }),
    ],
  });
}

function drawTimes(runS: readonly number[], width: number): Element {
  return Plot.plot({
    ...LOOK,
    width,
    height: 180,
    marginTop: 20,
    x: { label: "seconds", tickSize: 3, ticks: Math.max(3, Math.floor(width / 90)) },
    y: { label: "runs", tickSize: 3, ticks: 3, grid: true, nice: true },
    marks: [
      Plot.rectY(binned(runS), { x1: "from", x2: "to", y: "count", fill: "var(--river)", inset: 0.5 }),
      Plot.ruleY([0], { stroke: "var(--line-strong)" }),
    ],
  });
}

function highest(steps: readonly { unlearned: number; oracle: number }[]): number {
  return Math.max(1, ...steps.map((step) => Math.max(step.unlearned, step.oracle)));
}
