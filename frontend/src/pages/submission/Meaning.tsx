import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { standing } from "../../api/queries/submission";
import type { Submission } from "../../api/types";
import { Await } from "../../ui/Await";
import { Section } from "../../ui/Page";
import styles from "./Meaning.module.css";

/** What the score means: one sentence, then where it loses, how far the ceiling is, and what noise says. */
export function Meaning({ of }: { of: Submission }) {
  const query = useQuery(standing(of.id));
  return (
    <Section title="What this score means">
      <Await query={query} what="what the score means">
        {({ sentence, remarks }) => (
          <>
            <p className={styles.sentence}>{sentence}</p>
            <ul className={styles.remarks}>
              {remarks.map((remark) => (
                <li key={remark}>{remark}</li>
              ))}
            </ul>
          </>
        )}
      </Await>
      <p className={styles.more}>
        <Link to="/competitions/$slug/scoring" params={{ slug: of.competition }} search={{ phase: of.phase }}>
          How you are scored
        </Link>
      </p>
    </Section>
  );
}
