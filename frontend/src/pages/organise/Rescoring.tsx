import { Section } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { Term } from "../../ui/Term";
import { may } from "../../words/roles";
import { useCompetition, usePhase, useRole } from "../competition/context";
import { PhaseChoice } from "../competition/PhaseChoice";
import { Campaigns } from "./Campaigns";
import styles from "./Organise.module.css";

/** Scores of a phase computed anew: prepared, looked at, published, undone. */
export function Rescoring() {
  const { slug } = useCompetition();
  const phase = usePhase();
  const organises = may(useRole(), "organiser");
  if (!phase) return <Empty title="Nothing to rescore">There is no phase yet.</Empty>;
  return (
    <>
      <PhaseChoice part="organise/rescoring" />
      <p className={styles.glossary}>
        The glossary explains <Term of="rescoring">rescoring</Term>. Nothing moves on a leaderboard before you
        publish.
      </p>
      <Section title={`Rescoring of ${phase.title ?? phase.slug}`}>
        <Campaigns key={phase.slug} path={{ slug, phase: phase.slug }} phase={phase} organises={organises} />
      </Section>
    </>
  );
}
