import type { Me } from "../../api/types";
import { Require } from "../../app/Require";
import { Section } from "../../ui/Page";
import { Forbidden } from "../../ui/states";
import { Term } from "../../ui/Term";
import { useCompetition, usePhase } from "../competition/context";
import { PhaseChoice } from "../competition/PhaseChoice";
import { FinalActs } from "../final/FinalActs";
import { Queue } from "../queue/Queue";
import { Acts, RecordHead } from "./Acts";
import { AddPhase } from "./AddPhase";
import { Alarms } from "./Alarms";
import { AllSubmissions } from "./AllSubmissions";
import { Campaigns } from "./Campaigns";
import styles from "./Organise.module.css";
import { PhaseForm } from "./PhaseForm";

export function Organise() {
  return <Require least="organiser">{(who) => <Organised who={who} />}</Require>;
}

function Organised({ who }: { who: Me }) {
  const competition = useCompetition();
  const { slug, organiser } = competition;
  const phase = usePhase();
  if (who.account.role !== "operator" && who.account.username !== organiser) {
    return <Forbidden>{`Only ${organiser} or an operator can organise this competition.`}</Forbidden>;
  }
  if (!phase) {
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
      <Section title="Dates and quota">
        <PhaseForm key={phase.slug} phase={phase} />
      </Section>
      {phase.final !== null && (
        <Section title="Final">
          <FinalActs key={phase.slug} path={path} />
        </Section>
      )}
      <Section title="Alarms">
        <Alarms path={path} />
      </Section>
      <Section title="Rescoring">
        <Campaigns key={phase.slug} path={path} phase={phase} />
      </Section>
      <Section title="Submissions">
        <AllSubmissions of={competition} />
      </Section>
      <Section title="Queue">
        <Queue slug={slug} />
      </Section>
      <Section title="Add a phase">
        <AddPhase slug={slug} />
      </Section>
      <Section title="Record">
        <RecordHead />
        <Acts slug={slug} />
      </Section>
    </>
  );
}
