import type { LinkProps } from "@tanstack/react-router";
import { Link } from "@tanstack/react-router";
import styles from "./Tabs.module.css";

interface Tab {
  name: string;
  link: LinkProps;
  /** It stays marked on the pages below it. */
  hasParts?: boolean;
}

/** Links to the parts of one thing. They are navigation, not ARIA tabs: each part has its own address. */
export function Tabs({ label, of }: { label: string; of: readonly Tab[] }) {
  return (
    <nav aria-label={label} className={styles.tabs}>
      {of.map(({ name, link, hasParts = false }) => (
        <Link
          key={name}
          {...link}
          className={styles.tab}
          activeOptions={{ exact: !hasParts, includeSearch: false }}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}
