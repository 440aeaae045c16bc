import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { health, installation, system, workers } from "../../api/queries/installation";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Card } from "../../ui/Card";
import { Facts } from "../../ui/Facts";
import { Page, Section } from "../../ui/Page";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { bytes } from "../../words/numbers";
import { Queue } from "../queue/Queue";
import { Accounts } from "./Accounts";

const SCARCE = 0.1;

export function Operator() {
  return (
    <Page title="Operator" lead="The state of this installation and its queue.">
      <Require least="operator">
        {() => (
          <>
            <Card>
              <Health />
              <System />
            </Card>
            <Section title="Workers">
              <Workers />
            </Section>
            <Section title="Organisers and operators">
              <Accounts />
            </Section>
            <Section title="Benchmarks">
              <p>
                <Link to="/benchmarks">Benchmarks</Link> shows what organisers uploaded and waits for consent.
              </p>
            </Section>
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
  const { data: settings } = useQuery(installation);
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
            ["Sandbox", settings?.sandbox ?? "–"],
            ["Sign-up", settings ? (settings.sign_up_open ? "open" : "closed") : "–"],
            ["Largest upload", settings ? bytes(settings.max_upload_bytes) : "–"],
          ]}
        />
      )}
    </Await>
  );
}

function System() {
  const query = useQuery(system);
  return (
    <Await query={query} what="the machine's state">
      {({ database, doorbell, blobs, data_dir, disk_free_bytes, disk_total_bytes }) => (
        <Facts
          of={[
            ["Database", database],
            ["Worker notifications", doorbell],
            ["File storage", blobs],
            ["Data directory", <code key="directory">{data_dir}</code>],
            [
              "Free disk space",
              <>
                {bytes(disk_free_bytes)} of {bytes(disk_total_bytes)}{" "}
                {disk_free_bytes < SCARCE * disk_total_bytes && <Badge tone="bad">almost full</Badge>}
              </>,
            ],
          ]}
        />
      )}
    </Await>
  );
}

function Workers() {
  const query = useQuery(workers);
  return (
    <Await query={query} what="the workers">
      {(all) =>
        all.length === 0 ? (
          <p>No worker has reported. Start one with lethe worker.</p>
        ) : (
          <Table
            label="Workers of this installation"
            rows={all}
            keyOf={(worker) => worker.name}
            columns={[
              { name: "name", kind: "heading", show: (worker) => worker.name },
              {
                name: "state",
                kind: "badges",
                show: ({ gone, self_test }) => (
                  <>
                    <Badge tone={gone ? "bad" : "good"}>{gone ? "gone" : "alive"}</Badge>{" "}
                    {self_test && self_test.result !== "passed" && <Badge tone="bad">self-test failed</Badge>}
                  </>
                ),
              },
              { name: "slots busy", show: ({ slots_busy, slots }) => `${slots_busy} of ${slots}` },
              { name: "device", show: (worker) => worker.device_classes.join(", ") },
              { name: "sandbox", show: (worker) => worker.sandbox },
              { name: "environments", show: (worker) => worker.environments.join(", ") || "–" },
              { name: "version", show: (worker) => worker.version },
              { name: "free disk", show: (worker) => bytes(worker.free_disk_bytes) },
              { name: "last seen", show: (worker) => <Moment at={worker.seen_at} /> },
            ]}
          />
        )
      }
    </Await>
  );
}
