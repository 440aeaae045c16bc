import type { ReactNode } from "react";
import styles from "./Badge.module.css";

export type Tone = "calm" | "river" | "good" | "warn" | "bad";

export function Badge({ tone = "calm", children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`${styles.badge} ${styles[tone]}`}>{children}</span>;
}
