import { Section } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { Term } from "../../ui/Term";
import { may } from "../../words/roles";
import { useCompetition, usePhase } from "../competition/context";
import { PhaseChoice } from "../competition/PhaseChoice";
import { Within } from "../competition/Within";
import { FinalActs } from "../final/FinalActs";
import { Queue } from "../queue/Queue";
import { Acts, RecordHead } from "./Acts";
import { AddPhase } from "./AddPhase";
import { Alarms } from "./Alarms";
import { AllSubmissions } from "./AllSubmissions";
import { Campaigns } from "./Campaigns";
import styles from "./Organise.module.css";
import { PhaseForm } from "./PhaseForm";
import { References } from "./References";

export function Organise() {
  return <Within least="reviewer">{(role) => <Organised organises={may(role, "organiser")} />}</Within>;
}

/** A reviewer sees the same, without what changes anything. */
function Organised({ organises }: { organises: boolean }) {
  const competition = useCompetition();
  const { slug } = competition;
  const phase = usePhase();
  if (!phase) {
    if (!organises) return <Empty title="No phases yet">An organiser has not added a phase yet.</Empty>;
    return (
      <Section title="Add the first phase">
        <AddPhase slug={slug} />
      </Section>
    );
  }
  const path = { slug, phase: phase.slug };
  return (
    <>
      <PhaseChoice part="organise" />
      <p className={styles.glossary}>
        The glossary explains <Term of="alarm">alarms</Term>, <Term of="rescoring">rescoring</Term>,{" "}
        <Term of="evaluation">evaluations</Term> and <Term of="run">runs</Term>.
      </p>
      {organises && (
        <Section title="Dates and quota">
          <PhaseForm key={phase.slug} phase={phase} />
        </Section>
      )}
      {phase.final !== null && (
        <Section title="Final">
          <FinalActs key={phase.slug} path={path} organises={organises} />
        </Section>
      )}
      <Section title="Reference rows">
        <References key={phase.slug} path={path} organises={organises} />
      </Section>
      <Section title="Alarms">
        <Alarms path={path} />
      </Section>
      <Section title="Rescoring">
        <Campaigns key={phase.slug} path={path} phase={phase} organises={organises} />
      </Section>
      <Section title="Submissions">
        <AllSubmissions of={competition} />
      </Section>
      <Section title="Queue">
        <Queue slug={slug} />
      </Section>
      {organises && (
        <Section title="Add a phase">
          <AddPhase slug={slug} />
        </Section>
      )}
      <Section title="Record">
        <RecordHead />
        <Acts slug={slug} />
      </Section>
    </>
  );
}
