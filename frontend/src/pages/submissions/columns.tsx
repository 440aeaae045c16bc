/** The columns that submissions have wherever they are listed. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Submission } from "../../api/types";
import { Badge } from "../../ui/Badge";
import { StateBadge } from "../../ui/StateBadge";
import type { Column } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { inWords } from "../../words/board";
import { score } from "../../words/numbers";
import { InFinals } from "../final/Enter";
import styles from "./Submissions.module.css";

/** Its name, which leads to its page, its file and its tags. */
export const NAME: Column<Submission> = nameWith((tag) => <bdi>{tag}</bdi>);

/** The same in the list of one's own submissions, which a tag narrows down. */
export const OWN_NAME: Column<Submission> = nameWith((tag) => <Tag name={tag} />);

function nameWith(show: (tag: string) => ReactNode): Column<Submission> {
  return {
    name: "name",
    kind: "heading",
    show: (item) => (
      <>
        <Link to="/submissions/$id" params={{ id: item.id }}>
          {item.name}
        </Link>
        <span className={styles.file}>{item.filename}</span>
        {item.tags.length > 0 && (
          <span className={styles.file}>
            {item.tags.map((tag) => (
              <span key={tag} className={styles.tag}>
                {show(tag)}
              </span>
            ))}
          </span>
        )}
      </>
    ),
  };
}

/** A tag, which leads to all submissions that have it. */
export function Tag({ name }: { name: string }) {
  return (
    <Link to="/submissions" search={{ tag: name }} title={`Submissions tagged ${name}`}>
      <bdi>{name}</bdi>
    </Link>
  );
}

/** How far it came: of a failure its kind, too, and of what counts that it does. */
export const STATE: Column<Submission> = {
  name: "state",
  kind: "badges",
  show: (item) => (
    <>
      <StateBadge state={item.state} />
      {item.failure && ` ${inWords(item.failure.kind)}`}{" "}
      {item.on_board && <Badge tone="river">on the leaderboard</Badge>} <InFinals of={item} />
    </>
  ),
};

export const SCORE: Column<Submission> = {
  name: "score",
  show: ({ score: its }) => (its ? score(its.final_score, its.ci_low, its.ci_high) : "–"),
};

export const PHASE: Column<Submission> = {
  name: "phase",
  show: (item) => `${item.competition}, ${item.phase}`,
};

export const SUBMITTED: Column<Submission> = {
  name: "submitted",
  show: (item) => <Moment at={item.submitted_at} />,
};
