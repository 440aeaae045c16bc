import { Section } from "../../ui/Page";
import { Term } from "../../ui/Term";
import { may } from "../../words/roles";
import { useCompetition, usePhase } from "../competition/context";
import { PhaseChoice } from "../competition/PhaseChoice";
import { Within } from "../competition/Within";
import { Alarms } from "../organise/Alarms";
import { Copies } from "./Copies";
import { Disqualify } from "./Disqualify";
import { Excluded } from "./Excluded";

/** What an organiser does about entries: who is off the boards, and why. */
export function Judging() {
  const { slug } = useCompetition();
  const phase = usePhase();
  return (
    <Within least="reviewer">
      {(role) => (
        <>
          {phase && (
            <Section title="Alarms">
              <p>
                An <Term of="alarm">alarm</Term> changes no score. It asks you to look.
              </p>
              <PhaseChoice part="organise/judging" />
              <Alarms path={{ slug, phase: phase.slug }} />
            </Section>
          )}
          {may(role, "organiser") && (
            <Section title="Disqualify a team">
              <p>
                All that the team submitted leaves the boards, and it cannot submit any more. To disqualify
                one entry, open it from the list of submissions.
              </p>
              <Disqualify slug={slug} />
            </Section>
          )}
          <Section title="Near-identical entries">
            <Copies slug={slug} />
          </Section>
          <Section title="Off the boards">
            <Excluded slug={slug} organises={may(role, "organiser")} />
          </Section>
        </>
      )}
    </Within>
  );
}
