import styles from "./Interval.module.css";

interface Props {
  low: number;
  value: number;
  high: number;
  /** The axis goes from `from` (0 if left out) to `to`. */
  from?: number;
  to: number;
  muted?: boolean;
}

/** An estimate and its interval on an axis that rows share. Its numbers stand beside it, so it is hidden from readers. */
export function Interval({ low, value, high, from = 0, to, muted = false }: Props) {
  const at = (number: number) => `${Math.min(100, Math.max(0, ((number - from) / (to - from)) * 100))}%`;
  return (
    <svg className={`${styles.interval} ${muted ? styles.muted : ""}`} aria-hidden="true">
      <line className={styles.axis} x1="0" x2="100%" y1="50%" y2="50%" />
      {from < 0 && <line className={styles.zero} x1={at(0)} x2={at(0)} y1="10%" y2="90%" />}
      <line className={styles.reach} x1={at(low)} x2={at(high)} y1="50%" y2="50%" />
      <circle className={styles.value} cx={at(value)} cy="50%" r="4" />
    </svg>
  );
}
