import { Section } from "../../ui/Page";
import { Term } from "../../ui/Term";
import { useCompetition } from "../competition/context";
import { Queue } from "../queue/Queue";
import { AllSubmissions } from "./AllSubmissions";
import styles from "./Organise.module.css";

/** All that was submitted, and how far it is. */
export function Entries() {
  const competition = useCompetition();
  return (
    <>
      <p className={styles.glossary}>
        The glossary explains <Term of="evaluation">evaluations</Term> and <Term of="run">runs</Term>.
      </p>
      <Section title="Submissions">
        <AllSubmissions of={competition} />
      </Section>
      <Section title="Queue">
        <Queue slug={competition.slug} />
      </Section>
    </>
  );
}
