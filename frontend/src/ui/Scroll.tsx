import type { ReactNode } from "react";
import styles from "./Scroll.module.css";

/**
 * A table that may be wider than the page: it scrolls by itself, and by keyboard. On narrow screens its rows become
 * blocks, whose cells carry their column's name from `data-label`.
 */
export function Scroll({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={styles.scroll} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
