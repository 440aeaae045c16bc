import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { code, codeDiff } from "../../api/queries/judging";
import type { CodeFile, FileDiff } from "../../api/types";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
import { buttonLook } from "../../ui/Button";
import { Page, Section } from "../../ui/Page";
import { lineKind } from "../../words/diffs";
import { bytes } from "../../words/numbers";
import styles from "./Code.module.css";

/** The code of an entry, or how it differs from another's. An organiser's reading is on record. */
export function Code() {
  const { id } = useParams({ from: "/submissions/$id/code" });
  const { other } = useSearch({ from: "/submissions/$id/code" });
  return (
    <Page
      title={other ? "Code compared" : "Code"}
      lead={
        <>
          <Link to="/submissions/$id" params={{ id }}>
            Go to the submission
          </Link>
          {other && (
            <>
              {" or to "}
              <Link to="/submissions/$id" params={{ id: other }}>
                the other one
              </Link>
            </>
          )}
          . The record says who read code of another team.
        </>
      }
      actions={
        <a href={`/api/submissions/${id}/upload`} download className={buttonLook()}>
          Download the upload
        </a>
      }
    >
      <Require>{() => (other ? <Compared id={id} other={other} /> : <Shown id={id} />)}</Require>
    </Page>
  );
}

function Shown({ id }: { id: string }) {
  const query = useQuery(code(id));
  return (
    <Await query={query} what="the code">
      {({ files }) => files.map((file) => <File key={file.path} of={file} />)}
    </Await>
  );
}

/** A file of code, or why it is not shown. */
export function File({ of: { path, size_bytes, text } }: { of: CodeFile }) {
  return (
    <Section title={`${path}, ${bytes(size_bytes)}`}>
      {text === null ? (
        <p>It is not text, or too long to show. Download the upload to read it.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <pre className={styles.code} tabIndex={0}>
          {text}
        </pre>
      )}
    </Section>
  );
}

function Compared({ id, other }: { id: string; other: string }) {
  const query = useQuery(codeDiff(id, other));
  return (
    <Await query={query} what="the comparison">
      {({ files, same }) => (
        <>
          {same && <p>Both uploads are the same bytes.</p>}
          {files.map((file) => (
            <Difference key={file.path} of={file} />
          ))}
        </>
      )}
    </Await>
  );
}

function Difference({ of: { path, same, lines } }: { of: FileDiff }) {
  return (
    <Section title={path}>
      {same && <p>No difference.</p>}
      {lines === null && <p>It is not text, or too long to compare. Download both uploads.</p>}
      {lines && lines.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <pre className={styles.code} tabIndex={0}>
          {lines.map((line, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the lines of one difference keep their places
            <span key={place} className={styles[lineKind(line)]}>
              {`${line}\n`}
            </span>
          ))}
        </pre>
      )}
    </Section>
  );
}
