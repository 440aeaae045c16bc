import { Section } from "../../ui/Page";
import { may } from "../../words/roles";
import { useCompetition } from "../competition/context";
import { Within } from "../competition/Within";
import { Copies } from "./Copies";
import { Disqualify } from "./Disqualify";
import { Excluded } from "./Excluded";

/** What an organiser does about entries: who is off the boards, and why. */
export function Judging() {
  const { slug } = useCompetition();
  return (
    <Within least="reviewer">
      {(role) => (
        <>
          {may(role, "organiser") && (
            <Section title="Disqualify a team">
              <p>
                All that the team submitted leaves the boards, and it cannot submit any more. To disqualify
                one entry, open it from the list of submissions.
              </p>
              <Disqualify slug={slug} />
            </Section>
          )}
          <Section title="Near-identical code">
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
