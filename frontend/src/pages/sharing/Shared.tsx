import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { sharedSubmission } from "../../api/queries/submission";
import type { SharedSubmission } from "../../api/types";
import { Await } from "../../ui/Await";
import { Card } from "../../ui/Card";
import { Facts } from "../../ui/Facts";
import { Page, Section } from "../../ui/Page";
import { Moment } from "../../ui/Time";
import { useCatalogue } from "../../ui/useCatalogue";
import { metricTitle } from "../../words/catalogue";
import { ShareSubmission } from "./Share";

/** A submission whose team shows its score to everybody. */
export function Shared() {
  const { id } = useParams({ from: "/shared/$id" });
  return (
    <Await query={useQuery(sharedSubmission(id))} what="the submission" page="Submission">
      {(shown) => <Found of={shown} />}
    </Await>
  );
}

function Found({ of }: { of: SharedSubmission }) {
  const catalogue = useCatalogue();
  const { standing } = of;
  const numbers = (value: number) => value.toFixed(4);
  return (
    <Page
      title={of.name}
      tab={`${of.name} by ${of.team}`}
      lead={
        <>
          by{" "}
          <Link to="/teams/$name" params={{ name: of.team }}>
            <bdi>{of.team}</bdi>
          </Link>
          , in{" "}
          <Link
            to="/competitions/$slug/leaderboard"
            params={{ slug: of.competition }}
            search={{ phase: of.phase }}
          >
            {of.title}, {of.phase_title ?? of.phase}
          </Link>
          , <Moment at={of.submitted_at} />
        </>
      }
    >
      <Section title="What the score means">
        <p>
          <strong>{standing.sentence}</strong>
        </p>
        {standing.remarks.map((remark) => (
          <p key={remark}>{remark}</p>
        ))}
        <p>
          <Link
            to="/competitions/$slug/scoring"
            params={{ slug: of.competition }}
            search={{ phase: of.phase }}
          >
            How entries are scored here
          </Link>
        </p>
      </Section>
      <Section title="Numbers">
        <Card>
          <Facts
            of={[
              [`Score by ${metricTitle(catalogue, standing.metric)}`, numbers(standing.final_score)],
              ["95% interval", `${numbers(of.ci_low)} to ${numbers(of.ci_high)}`],
              ["Forgetting quality", numbers(of.forgetting_quality)],
              ["Utility", numbers(of.utility)],
              ["Runs", of.seeds],
            ]}
          />
        </Card>
      </Section>
      <ShareSubmission id={of.id} />
    </Page>
  );
}
