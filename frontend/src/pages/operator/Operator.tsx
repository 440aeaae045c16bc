import { useQuery } from "@tanstack/react-query";
import { health, queue } from "../../api/queries";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Card } from "../../ui/Card";
import { Facts } from "../../ui/Facts";
import { Page, Section } from "../../ui/Page";
import { span } from "../../words/time";

export function Operator() {
  return (
    <Page title="Operator" lead="Whether the installation works, and what waits in its queue.">
      <Require least="operator">
        {() => (
          <>
            <Card>
              <Health />
            </Card>
            <Section title="Queue">
              <Queue />
            </Section>
          </>
        )}
      </Require>
    </Page>
  );
}

function Health() {
  const query = useQuery(health);
  return (
    <Await query={query} what="the server's state">
      {({ status, version }) => (
        <Facts
          of={[
            [
              "API and database",
              <Badge key="status" tone={query.error ? "bad" : "good"}>
                {query.error ? "not answering" : (status ?? "ok")}
              </Badge>,
            ],
            ["Version", version],
          ]}
        />
      )}
    </Await>
  );
}

function Queue() {
  const query = useQuery(queue);
  return (
    <Await query={query} what="the queue">
      {({ shards, oldest_queued_s }) => (
        <>
          <p>
            {oldest_queued_s === null
              ? "Nothing waits."
              : `The oldest of what waits has waited ${span(oldest_queued_s)}.`}
          </p>
          <Facts of={Object.entries(shards).map(([state, count]) => [`Shards ${state}`, count] as const)} />
        </>
      )}
    </Await>
  );
}
