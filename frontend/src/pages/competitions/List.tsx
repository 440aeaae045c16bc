import { Link } from "@tanstack/react-router";
import type { CompetitionDetail } from "../../api/types";
import { useNow } from "../../ui/now";
import { Countdown } from "../../ui/Time";
import { firstLine } from "../../words/markdown";
import { currentPhase } from "../../words/time";
import styles from "./Competitions.module.css";

/** Competitions in a list, each with its first words and the phase that a visitor most likely wants. */
export function List({ of, level = 2 }: { of: readonly CompetitionDetail[]; level?: 2 | 3 }) {
  return (
    <ul className={styles.list}>
      {of.map((one) => (
        <li key={one.slug}>
          <Summary of={one} level={level} />
        </li>
      ))}
    </ul>
  );
}

function Summary({ of, level }: { of: CompetitionDetail; level: 2 | 3 }) {
  const phase = currentPhase(of.phases, useNow(60_000));
  const Heading = `h${level}` as const;
  return (
    <article className={styles.summary}>
      <Heading className={styles.title}>
        <Link to="/competitions/$slug" params={{ slug: of.slug }}>
          {of.title}
        </Link>
      </Heading>
      <p className={styles.words}>{firstLine(of.description)}</p>
      <p className={styles.facts}>
        <span>by {of.owner}</span>
        {phase && (
          <span>
            phase {phase.slug} <Countdown of={phase} />
          </span>
        )}
      </p>
    </article>
  );
}
