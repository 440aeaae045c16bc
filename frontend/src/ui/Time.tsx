import type { Window } from "../words/time";
import { countdown, moment, zone } from "../words/time";
import { useNow } from "./now";
import styles from "./Time.module.css";

/** A moment in the reader's zone, which its title names. */
export function Moment({ at }: { at: string }) {
  return (
    <time className={styles.moment} dateTime={at} title={`${zone()} time`}>
      {moment(at)}
    </time>
  );
}

/** The clock of a phase. It is no live region: a screen reader would never fall silent. */
export function Countdown({ of }: { of: Window }) {
  return <span>{countdown(of, useNow())}</span>;
}
