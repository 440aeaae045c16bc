import * as Plot from "@observablehq/plot";
import { useMemo } from "react";
import type { Entry } from "../../api/types";
import { Chart } from "../../ui/Chart";
import type { Scale } from "../../words/axis";
import { axisOf } from "../../words/axis";
import { placesOf } from "./labels";
import styles from "./Plane.module.css";

const LABEL = 24;
const MARGIN = 48; // for the labels of F

interface Props {
  entries: readonly Entry[];
  /** Of the reader's own entries, the ids of their submissions. */
  own: ReadonlySet<string>;
  scale: Scale;
}

/** Utility across, forgetting quality up, each entry with both intervals. Loaded only where it is shown. */
export default function Plane({ entries, own, scale }: Props) {
  const shown = useMemo(() => ({ entries, own, scale }), [entries, own, scale]);
  return (
    <div className={styles.plane}>
      <Chart of={shown} draw={draw} label="Forgetting quality against utility">
        Each cross is one entry with its 95% intervals; hollow points are not ranked.{" "}
        {own.size > 0 && <span className={styles.own}>Diamonds are your entries. </span>}Higher points forget
        better; points further right are more accurate.{" "}
        {scale === "log" && "F is on the logarithmic scale of the leaderboard. "}The chart shows the same
        entries and numbers as the leaderboard above.
      </Chart>
    </div>
  );
}

function draw({ entries, own, scale }: Props, width: number): Element {
  const isOwn = (entry: Entry) => own.has(entry.submission_id);
  const drawn = entries.toSorted((one, other) => Number(isOwn(one)) - Number(isOwn(other)));
  const named = drawn
    .filter((entry) => isOwn(entry) || entry.reference === "retrain" || entry.rank === 1)
    .reverse()
    .map((entry) => ({ entry, text: shortened(entry.submission) }));
  const crosses = crossesOf(drawn, isOwn);
  const picture = (marks: Plot.Markish[]) => plot(entries, scale, width, marks);
  // Drawn once without names, which shows where its points come to lie.
  const bare = picture(crosses);
  const across = (utility: number) => Number(bare.scale("x")?.apply(utility));
  const at = (entry: Entry) => ({
    x: across(entry.utility),
    left: across(entry.utility_low),
    right: across(entry.utility_high),
    y: Number(bare.scale("y")?.apply(entry.forgetting_quality)),
  });
  const places = placesOf(
    named.map(({ entry, text }) => ({ ...at(entry), text })),
    drawn.map(at),
    { left: MARGIN, right: width },
  );
  const names = named.map(({ entry, text }, number) =>
    Plot.text([entry], {
      ...places[number],
      x: "utility",
      y: "forgetting_quality",
      text: () => text,
      fill: "var(--ink)",
      stroke: "var(--surface)",
      strokeWidth: 3,
    }),
  );
  return picture([...crosses, ...names]);
}

function plot(entries: readonly Entry[], scale: Scale, width: number, marks: Plot.Markish[]) {
  const axis = axisOf(
    scale,
    entries.map((entry) => entry.forgetting_quality),
    entries.map((entry) => entry.forgetting_quality_high),
  );
  return Plot.plot({
    width,
    height: Math.min(440, Math.max(300, width * 0.55)),
    marginLeft: MARGIN,
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
      domain: ["own", "ranked", "reach", "unranked", "hollow"],
      range: ["var(--warn)", "var(--river)", "var(--reach)", "var(--line-strong)", "var(--surface)"],
    },
    symbol: { domain: ["own", "others"], range: ["diamond2", "circle"] },
    r: { type: "identity" },
    marks,
  });
}

function crossesOf(entries: readonly Entry[], isOwn: (entry: Entry) => boolean): Plot.Markish[] {
  const colour = (ofRanked: string) => (entry: Entry) =>
    isOwn(entry) ? "own" : entry.rank === null ? "unranked" : ofRanked;
  const reach = { stroke: colour("reach"), strokeWidth: 1.5 };
  return [
    Plot.link(entries, {
      ...reach,
      x1: "utility_low",
      x2: "utility_high",
      y1: "forgetting_quality",
      y2: "forgetting_quality",
    }),
    Plot.link(entries, {
      ...reach,
      x1: "utility",
      x2: "utility",
      y1: "forgetting_quality_low",
      y2: "forgetting_quality_high",
    }),
    Plot.dot(entries, {
      x: "utility",
      y: "forgetting_quality",
      r: (entry: Entry) => (isOwn(entry) ? 6 : 4),
      symbol: (entry: Entry) => (isOwn(entry) ? "own" : "others"),
      stroke: colour("ranked"),
      fill: (entry: Entry) => (entry.rank === null ? "hollow" : colour("ranked")(entry)),
      title: (entry: Entry) => `${entry.entry}: ${entry.submission}`,
    }),
  ];
}

function shortened(name: string): string {
  return name.length > LABEL ? `${name.slice(0, LABEL - 1)}…` : name;
}
