import { Link } from "@tanstack/react-router";
import { buttonLook } from "../../ui/Button";
import { Section } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { may } from "../../words/roles";
import { useCompetition, usePhase, useRole } from "../competition/context";
import { PhaseChoice } from "../competition/PhaseChoice";
import { FinalActs } from "../final/FinalActs";
import { AddPhase } from "./AddPhase";
import { PhaseSettings } from "./PhaseSettings";
import { References } from "./References";

/** The settings of each phase, and what an organiser does with a final. */
export function Phases() {
  const organises = may(useRole(), "organiser");
  const { slug } = useCompetition();
  const phase = usePhase();
  if (!phase) return organises ? <AddPhase /> : <NoPhases />;
  return (
    <>
      <PhaseChoice part="organise" />
      {organises && (
        <p>
          <Link to="/competitions/$slug/organise/add-phase" params={{ slug }} className={buttonLook()}>
            Add a phase
          </Link>
        </p>
      )}
      {phase.final !== null && (
        <Section title="Final">
          <FinalActs key={phase.slug} path={{ slug, phase: phase.slug }} organises={organises} />
        </Section>
      )}
      <Section title={`Settings of ${phase.title ?? phase.slug}`}>
        {phase.final === null || phase.final === phase.slug ? (
          <PhaseSettings key={phase.slug} phase={phase} organises={organises} />
        ) : (
          <p>
            This phase has the settings of the final it belongs to.{" "}
            <Link to="/competitions/$slug/organise" params={{ slug }} search={{ phase: phase.final }}>
              Go to {phase.final}
            </Link>
          </p>
        )}
      </Section>
      <Section title="Reference rows">
        <References key={phase.slug} path={{ slug, phase: phase.slug }} organises={organises} />
      </Section>
    </>
  );
}

function NoPhases() {
  return <Empty title="No phases yet">An organiser has not added a phase yet.</Empty>;
}
