import * as Plot from "@observablehq/plot";
import { useEffect, useRef, useState } from "react";
import type { Entry } from "../../api/types";
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
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  useEffect(() => {
    if (!place.current || width === 0) return;
    const chart = draw(entries, own, scale, width);
    place.current.replaceChildren(chart);
    return () => chart.remove();
  }, [entries, own, scale, width]);
  return (
    <figure className={styles.figure}>
      <div ref={place} className={styles.place} />
      <figcaption>
        Each cross is one entry with its 95 % intervals; hollow ones are not ranked. Up is better forgetting,
        right is better accuracy. {scale === "log" && "F is on the logarithmic scale of the board. "}The board
        above holds the same numbers.
      </figcaption>
    </figure>
  );
}

function draw(entries: readonly Entry[], own: ReadonlySet<string>, scale: Scale, width: number): Element {
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
  const chart = Plot.plot({
    width,
    height: Math.min(440, Math.max(300, width * 0.55)),
    marginLeft: 48,
    marginBottom: 40,
    className: "plane",
    ariaLabel: "Forgetting quality against utility",
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
  // Plot's own rules come as an inline style sheet, which the content security policy refuses. Ours stand in a module.
  for (const sheet of chart.querySelectorAll("style")) sheet.remove();
  // To readers it is one picture: its parts have no names of their own.
  for (const part of chart.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  chart.setAttribute("role", "img");
  return chart;
}

function shortened(name: string): string {
  return name.length > LABEL ? `${name.slice(0, LABEL - 1)}…` : name;
}

function useWidth(place: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [place]);
  return width;
}
