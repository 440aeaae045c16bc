import { Link } from "@tanstack/react-router";
import { Section } from "../../ui/Page";
import { useCompetition } from "../competition/context";
import { Within } from "../competition/Within";
import { Webhooks } from "./Webhooks";

/** The room for webhooks of a competition. */
export function WebhooksOfCompetition() {
  const { slug } = useCompetition();
  return (
    <Within least="organiser">
      {() => (
        <Section title="Webhooks">
          <p>
            A webhook of the competition is called when something happens to any team, such as to post it in a
            chat. Who adds or removes one is on record.{" "}
            <Link to="/docs/$" params={{ _splat: "reference/api" }} hash="notices-and-webhooks">
              How calls look and are verified
            </Link>
          </p>
          <Webhooks of={slug} />
        </Section>
      )}
    </Within>
  );
}
