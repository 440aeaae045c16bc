import { Link } from "@tanstack/react-router";
import type { Submission } from "../../api/types";
import { FAILURES } from "../../words/failures";
import styles from "./Failure.module.css";

/** Why it failed: what kind of failure, the server's words, and what to do. All of it as text. */
export function Failure({ id, of }: { id: string; of: NonNullable<Submission["failure"]> }) {
  const { title, cause, remedy } = FAILURES[of.kind];
  return (
    <div className={styles.failure}>
      <h2>{title}</h2>
      <p>{cause}</p>
      <pre>{of.message}</pre>
      <p>
        <strong>What to do.</strong> {remedy}{" "}
        <Link to="/docs/$" params={{ _splat: "participant" }} hash="failures-and-what-to-do">
          All kinds of failures
        </Link>
      </p>
      {of.kind !== "platform" && (
        <p>
          Run it again on your machine, in the same environment and under the same limits, to see the whole
          message: <code>lethe replay {id}</code>.{" "}
          <Link to="/docs/$" params={{ _splat: "participant" }} hash="run-a-failure-again-here">
            How a replay works
          </Link>
        </p>
      )}
    </div>
  );
}
