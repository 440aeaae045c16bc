import type { FileChange } from "../../api/types";
import { Badge } from "../../ui/Badge";
import { lineKind } from "../../words/diffs";
import { isolated } from "../../words/isolated";
import styles from "./File.module.css";

/** What a file would change, field by field. */
export function Changes({ of }: { of: FileChange[] }) {
  if (of.length === 0) return <p>The file changes nothing.</p>;
  return (
    <ul className={styles.list}>
      {of.map((change) => (
        <li key={change.path + change.kind}>
          <Change of={change} />
        </li>
      ))}
    </ul>
  );
}

function Change({ of: { path, kind, before, after, lines, needs_confirmation } }: { of: FileChange }) {
  return (
    <>
      <code>{path}</code>
      {kind !== "changed" && `: ${kind}`}
      {kind === "changed" &&
        lines.length === 0 &&
        `: ${isolated(inWords(before))} → ${isolated(inWords(after))}`}{" "}
      {needs_confirmation && <Badge tone="warn">needs confirmation</Badge>}
      {lines.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <pre className={styles.lines} tabIndex={0}>
          {lines.map((line, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the lines of one difference keep their places
            <span key={place} className={styles[lineKind(line)]}>
              {`${line}\n`}
            </span>
          ))}
        </pre>
      )}
    </>
  );
}

function inWords(value: unknown): string {
  return value === null || value === undefined || value === "" ? "nothing" : String(value);
}
