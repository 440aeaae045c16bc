import { Link } from "@tanstack/react-router";
import { useCompetition, usePhase } from "./context";
import styles from "./PhaseChoice.module.css";

type Part = "rules" | "kit" | "leaderboard" | "submit" | "organise";

/** The phases of the competition, each a link to the same page about it. */
export function PhaseChoice({ part }: { part: Part }) {
  const { slug, phases } = useCompetition();
  const chosen = usePhase();
  if (phases.length < 2) return null;
  return (
    <nav aria-label="Phase" className={styles.choice}>
      {phases.map((phase) => (
        <Link
          key={phase.slug}
          to={`/competitions/$slug/${part}`}
          params={{ slug }}
          search={{ phase: phase.slug }}
          className={styles.phase}
          aria-current={phase === chosen ? "true" : undefined}
        >
          {phase.slug}
        </Link>
      ))}
    </nav>
  );
}
