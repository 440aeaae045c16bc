import { Section } from "../../ui/Page";
import { useCompetition } from "../competition/context";
import { Acts, RecordHead } from "./Acts";

/** Who did what in the competition. */
export function Record() {
  const { slug } = useCompetition();
  return (
    <Section title="Record">
      <RecordHead />
      <Acts slug={slug} />
    </Section>
  );
}
