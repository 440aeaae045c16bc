import { Link } from "@tanstack/react-router";
import type { Submission } from "../../api/types";
import styles from "./Submissions.module.css";

/** The heading of a submission's row: its name, which leads to its page, and its file. */
export function Named({ of }: { of: Submission }) {
  return (
    <th scope="row">
      <Link to="/submissions/$id" params={{ id: of.id }}>
        {of.name}
      </Link>
      <span className={styles.file}>{of.filename}</span>
    </th>
  );
}
