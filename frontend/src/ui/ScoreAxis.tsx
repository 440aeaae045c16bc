import type { Axis } from "../words/axis";
import { labelled, placeOn } from "../words/axis";
import { Interval } from "./Interval";
import styles from "./ScoreAxis.module.css";

/** Of the column's width, which is 12 rem at least. */
const LABEL_SHARE = 0.15;

const at = (axis: Axis, tick: number) => `${placeOn(axis, tick) * 100}%`;

/** The labels of an axis, over or under what is drawn on it. The numbers stand beside it, so they are hidden from readers. */
export function AxisLabels({ axis }: { axis: Axis }) {
  return (
    <svg className={styles.labels} aria-hidden="true">
      {labelled(axis, LABEL_SHARE).map((tick) => (
        <text key={tick} x={at(axis, tick)} y="80%" textAnchor={anchorOf(tick, axis)}>
          {tick}
        </text>
      ))}
    </svg>
  );
}

function anchorOf(tick: number, axis: Axis) {
  if (tick === 0) return "start";
  return tick === axis.to ? "end" : "middle";
}

interface Props {
  axis: Axis;
  low: number;
  value: number;
  high: number;
  muted?: boolean;
}

/** A score and its interval on the axis that all rows share, over the lines of its ticks. */
export function ScoreBar({ axis, low, value, high, muted }: Props) {
  return (
    <div className={styles.bar}>
      <svg className={styles.lines} aria-hidden="true">
        {axis.ticks.map((tick) => (
          <line key={tick} x1={at(axis, tick)} x2={at(axis, tick)} y1="0" y2="100%" />
        ))}
      </svg>
      <Interval
        low={placeOn(axis, low)}
        value={placeOn(axis, value)}
        high={placeOn(axis, high)}
        to={1}
        muted={muted}
      />
    </div>
  );
}
