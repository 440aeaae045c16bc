import { Section } from "../../ui/Page";
import { may } from "../../words/roles";
import { useCompetition } from "../competition/context";
import { Within } from "../competition/Within";
import { Invitations } from "./Invitations";
import { Members } from "./Members";
import { Mode } from "./Mode";
import { Registrations } from "./Registrations";

/** Who runs, reviews and takes part in a competition. A reviewer sees the same, without what changes anything. */
export function People() {
  const { slug } = useCompetition();
  return (
    <Within least="reviewer">
      {(role) => {
        const organises = may(role, "organiser");
        return (
          <>
            <Section title="Roles">
              <Members slug={slug} role={role} />
            </Section>
            {organises && (
              <Section title="How people register">
                <Mode />
              </Section>
            )}
            <Section title="Registrations">
              <Registrations slug={slug} organises={organises} />
            </Section>
            <Section title="Invitations">
              <Invitations slug={slug} organises={organises} />
            </Section>
          </>
        );
      }}
    </Within>
  );
}
