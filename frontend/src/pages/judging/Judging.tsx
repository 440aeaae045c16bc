import { Require } from "../../app/Require";
import { Section } from "../../ui/Page";
import { Forbidden } from "../../ui/states";
import { useCompetition } from "../competition/context";
import { Copies } from "./Copies";
import { Disqualify } from "./Disqualify";
import { Excluded } from "./Excluded";

/** What an organiser does about entries: who is off the boards, and why. */
export function Judging() {
  const { slug, organiser } = useCompetition();
  return (
    <Require least="organiser">
      {(who) =>
        who.account.role !== "operator" && who.account.username !== organiser ? (
          <Forbidden>{`Only ${organiser} or an operator can judge this competition.`}</Forbidden>
        ) : (
          <>
            <Section title="Disqualify a team">
              <p>
                All that the team submitted leaves the boards, and it cannot submit any more. To disqualify
                one entry, open it from the list of submissions.
              </p>
              <Disqualify slug={slug} />
            </Section>
            <Section title="Near-identical code">
              <Copies slug={slug} />
            </Section>
            <Section title="Off the boards">
              <Excluded slug={slug} />
            </Section>
          </>
        )
      }
    </Require>
  );
}
