import { Link } from "@tanstack/react-router";
import type { Element, ElementContent } from "hast";
import type { ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { follow, pageOf } from "../docs/links";
import { PAGES_OF_ROWS, slugOf } from "../docs/sections";
import { Code } from "../ui/Code";
import styles from "./Documentation.module.css";
import markdown from "./Rendered.module.css";

interface Props {
  /** The file in docs/, from which its links lead on. */
  path: string;
  text: string;
  /** Where a picture or another file of docs/ is served. */
  addressOf: (path: string) => string | undefined;
  /** What a page is called, which reads better than the name of its file. */
  nameOf: (page: string) => string | undefined;
}

/** A page of docs/: Markdown with tables and anchors, and without raw HTML. */
export function Documentation({ path, text, addressOf, nameOf }: Props) {
  return (
    <div className={`${markdown.markdown} ${styles.documentation}`}>
      <ReactMarkdown remarkPlugins={[remarkGfm]} components={componentsOf({ path, addressOf, nameOf })}>
        {text}
      </ReactMarkdown>
    </div>
  );
}

function componentsOf({ path, addressOf, nameOf }: Omit<Props, "text">): Components {
  const rows = PAGES_OF_ROWS.includes(pageOf(path));
  return {
    h2: ({ node, children }) => <h2 id={slugOf(textOf(node))}>{children}</h2>,
    h3: ({ node, children }) => <h3 id={slugOf(textOf(node))}>{children}</h3>,
    h4: ({ node, children }) => <h4 id={slugOf(textOf(node))}>{children}</h4>,
    pre: ({ node }) => <Code text={textOf(node).trimEnd()} wide />,
    table: ({ children }) => (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
      <div role="group" aria-label="Table" tabIndex={0} className={styles.table}>
        <table>{children}</table>
      </div>
    ),
    tr: ({ node, children }) => <tr id={rows ? codeOf(node) : undefined}>{children}</tr>,
    a: ({ href = "", children }) => (
      <Way from={path} to={href} addressOf={addressOf} nameOf={nameOf}>
        {children}
      </Way>
    ),
    img: ({ src, alt }) => {
      const way = follow(path, typeof src === "string" ? src : "");
      return way.kind === "file" ? <img src={addressOf(way.path)} alt={alt ?? ""} /> : alt;
    },
  };
}

interface WayProps extends Pick<Props, "addressOf" | "nameOf"> {
  from: string;
  to: string;
  children?: ReactNode;
}

function Way({ from, to, addressOf, nameOf, children }: WayProps) {
  const way = follow(from, to);
  switch (way.kind) {
    case "page":
      return (
        <Link to="/docs/$" params={{ _splat: way.page }} hash={way.hash}>
          {typeof children === "string" && children.endsWith(".md")
            ? (nameOf(way.page) ?? children)
            : children}
        </Link>
      );
    case "file":
      return <a href={addressOf(way.path)}>{children}</a>;
    case "away":
      return (
        <a href={way.href} rel="noopener noreferrer">
          {children}
        </a>
      );
    case "repository":
      return <span title={`${way.path} in Lethe's repository`}>{children}</span>;
  }
}

function textOf(node: Element | ElementContent | undefined): string {
  if (node?.type === "text") return node.value;
  return node?.type === "element" ? node.children.map(textOf).join("") : "";
}

/** What a row is about: the code that begins its first cell. */
function codeOf(row: Element | undefined): string | undefined {
  const cell = row?.children.find((one) => one.type === "element" && one.tagName === "td");
  const first = cell?.type === "element" ? cell.children[0] : undefined;
  return first?.type === "element" && first.tagName === "code" ? textOf(first) : undefined;
}
