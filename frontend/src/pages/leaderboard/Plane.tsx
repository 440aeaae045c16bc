import * as Plot from "@observablehq/plot";
import { useMemo } from "react";
import type { Entry } from "../../api/types";
import { Chart } from "../../ui/Chart";
import type { Scale } from "../../words/axis";
import { axisOf } from "../../words/axis";
import styles from "./Plane.module.css";

const LABEL = 24;

interface Props {
  entries: readonly Entry[];
  own: ReadonlySet<string>;
  scale: Scale;
}

/** Utility across, forgetting quality up, each entry with both intervals. Loaded only where it is shown. */
export default function Plane({ entries, own, scale }: Props) {
  const shown = useMemo(() => ({ entries, own, scale }), [entries, own, scale]);
  return (
    <div className={styles.plane}>
      <Chart of={shown} draw={draw} label="Forgetting quality against utility">
        Each cross is one entry with its 95 % intervals; hollow ones are not ranked. Up is better forgetting,
        right is better accuracy. {scale === "log" && "F is on the logarithmic scale of the board. "}The board
        above holds the same numbers.
      </Chart>
    </div>
  );
}

function draw({ entries, own, scale }: Props, width: number): Element {
  const axis = axisOf(
    scale,
    entries.map((entry) => entry.forgetting_quality),
    entries.map((entry) => entry.forgetting_quality_high),
  );
  const ranked = (entry: Entry) => entry.rank !== null;
  const colour = (entry: Entry) => (own.has(entry.entry) ? "own" : ranked(entry) ? "ranked" : "unranked");
  const named = entries.filter(
    (entry) => own.has(entry.entry) || entry.reference === "retrain" || entry.rank === 1,
  );
  return Plot.plot({
    width,
    height: Math.min(440, Math.max(300, width * 0.55)),
    marginLeft: 48,
    marginBottom: 40,
    className: "plane",
    style: { background: "transparent" },
    x: { label: "utility", nice: true, tickSize: 3, ticks: Math.max(3, Math.floor(width / 110)) },
    y: {
      type: scale === "log" ? "symlog" : "linear",
      constant: axis.evenBelow,
      domain: [0, axis.to],
      ticks: axis.ticks,
      tickFormat: String,
      label: "F",
      tickSize: 3,
      grid: true,
    },
    color: {
      domain: ["own", "ranked", "unranked"],
      range: ["var(--warn)", "var(--river)", "var(--line-strong)"],
    },
    marks: [
      Plot.link(entries, {
        x1: "utility_low",
        x2: "utility_high",
        y1: "forgetting_quality",
        y2: "forgetting_quality",
        stroke: colour,
        strokeOpacity: 0.5,
      }),
      Plot.link(entries, {
        x1: "utility",
        x2: "utility",
        y1: "forgetting_quality_low",
        y2: "forgetting_quality_high",
        stroke: colour,
        strokeOpacity: 0.5,
      }),
      ...[true, false].map((isRanked) =>
        Plot.dot(
          entries.filter((entry) => ranked(entry) === isRanked),
          {
            x: "utility",
            y: "forgetting_quality",
            r: 4,
            stroke: colour,
            fill: isRanked ? colour : "var(--surface)",
            title: (entry: Entry) => `${entry.entry}: ${entry.submission}`,
          },
        ),
      ),
      Plot.text(named, {
        x: "utility",
        y: "forgetting_quality",
        text: (entry: Entry) => shortened(entry.submission),
        textAnchor: "end",
        dx: -8,
        dy: -8,
        fill: "var(--ink)",
        stroke: "var(--surface)",
        strokeWidth: 3,
      }),
    ],
  });
}

function shortened(name: string): string {
  return name.length > LABEL ? `${name.slice(0, LABEL - 1)}…` : name;
}
