import type { ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import styles from "./Rendered.module.css";

/** The title of the page and of the section stand above, so a text's headings begin below them. */
const COMPONENTS: Components = {
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h4>{children}</h4>,
  h3: ({ children }) => <h5>{children}</h5>,
  h4: ({ children }) => <h6>{children}</h6>,
  h5: ({ children }) => <h6>{children}</h6>,
  a: ({ href, children }) => <Away to={href}>{children}</Away>,
  // Nothing is loaded from elsewhere: whoever wants to see a picture follows its link.
  img: ({ src, alt }) => <Away to={typeof src === "string" ? src : undefined}>{alt || "picture"}</Away>,
};

/** Markdown without raw HTML: what looks like HTML is shown as it is written. */
export function Rendered({ text }: { text: string }) {
  return (
    <div className={styles.markdown}>
      <ReactMarkdown components={COMPONENTS}>{text}</ReactMarkdown>
    </div>
  );
}

function Away({ to, children }: { to: string | undefined; children?: ReactNode }) {
  if (!to) return <>{children}</>;
  return (
    <a href={to} rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}
