import styles from "./Progress.module.css";

export function Progress({ done, of, label }: { done: number; of: number; label: string }) {
  return <progress className={styles.progress} value={done} max={Math.max(1, of)} aria-label={label} />;
}
