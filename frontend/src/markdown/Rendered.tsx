import { type ReactNode, useMemo, useState } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import { imageOf } from "../words/markdown";
import styles from "./Rendered.module.css";

interface Props {
  text: string;
  /** The competition whose images it may show. */
  slug: string;
}

/** Markdown without raw HTML: what looks like HTML is shown as it is written. */
export function Rendered({ text, slug }: Props) {
  const components = useMemo(() => componentsOf(slug), [slug]);
  return (
    <div className={styles.markdown}>
      <ReactMarkdown components={components}>{text}</ReactMarkdown>
    </div>
  );
}

/** The title of the page and of the section stand above, so a text's headings begin below them. */
function componentsOf(slug: string): Components {
  return {
    h1: ({ children }) => <h3>{children}</h3>,
    h2: ({ children }) => <h4>{children}</h4>,
    h3: ({ children }) => <h5>{children}</h5>,
    h4: ({ children }) => <h6>{children}</h6>,
    h5: ({ children }) => <h6>{children}</h6>,
    a: ({ href, children }) => <Away to={href}>{children}</Away>,
    img: ({ src, alt }) => (
      <Picture slug={slug} src={typeof src === "string" ? src : undefined} alt={alt ?? ""} />
    ),
  };
}

/** An image of the competition. Nothing is loaded from elsewhere: whoever wants to see that follows its link. */
function Picture({ slug, src, alt }: { slug: string; src: string | undefined; alt: string }) {
  const [missing, setMissing] = useState(false);
  const own = imageOf(slug, src);
  if (own === undefined) return <Away to={src}>{alt || "picture"}</Away>;
  if (missing) return <em>{alt || "picture"}</em>;
  return <img src={own} alt={alt} loading="lazy" onError={() => setMissing(true)} />;
}

function Away({ to, children }: { to: string | undefined; children?: ReactNode }) {
  if (!to) return <>{children}</>;
  return (
    <a href={to} rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}
