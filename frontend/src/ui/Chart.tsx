import type { ReactNode, RefObject } from "react";
import { useEffect, useRef, useState } from "react";
import styles from "./Chart.module.css";

const LEAST_WIDTH = 160; // a place that is narrower is being laid out, or hidden

interface Props<T> {
  of: T;
  /** Makes the picture for a width; the same function each time, or the chart is drawn anew. */
  draw: (of: T, width: number) => Element;
  /** What the picture says, for those who do not see it. */
  label: string;
  children?: ReactNode;
}

/** A picture that fills its place, and what it says. */
export function Chart<T>({ of, draw, label, children }: Props<T>) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  useEffect(() => {
    if (!place.current || width === 0) return;
    const chart = draw(of, width);
    // Plot's own rules come as an inline style sheet, which the content security policy refuses. Ours stand in a module.
    for (const sheet of chart.querySelectorAll("style")) sheet.remove();
    // To readers it is one picture: its parts have no names of their own.
    for (const part of chart.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
    chart.setAttribute("role", "img");
    chart.setAttribute("aria-label", label);
    place.current.replaceChildren(chart);
    return () => chart.remove();
  }, [of, draw, label, width]);
  return (
    <figure className={styles.figure}>
      <div ref={place} className={styles.place} />
      <figcaption>{children ?? label}</figcaption>
    </figure>
  );
}

function useWidth(place: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth >= LEAST_WIDTH) setWidth(Math.floor(element.clientWidth));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [place]);
  return width;
}
