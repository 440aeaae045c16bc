import { Link } from "@tanstack/react-router";
import type { Phase } from "../../api/types";
import { useCompetition, usePhase } from "./context";
import styles from "./PhaseChoice.module.css";

type Part =
  | "scoring"
  | "rules"
  | "kit"
  | "leaderboard"
  | "submit"
  | "organise"
  | "organise/judging"
  | "organise/matrices"
  | "organise/rescoring";

/** The phases of the competition, each a link to the same page about it. */
export function PhaseChoice({ part, of }: { part: Part; of?: Phase | undefined }) {
  const { slug, phases } = useCompetition();
  const current = usePhase();
  const chosen = of ?? current;
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
