import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { queue } from "../../api/queries/submission";
import type { OpenEvaluation, Queue as Shown } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Facts } from "../../ui/Facts";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { count } from "../../words/numbers";
import { extent, isStuck } from "../../words/queue";
import { span } from "../../words/time";
import styles from "./Queue.module.css";

const FEW = 10;

/** What waits and runs, who runs it, and what the platform failed: of one competition, or of all. */
export function Queue({ slug }: { slug?: string }) {
  const query = useQuery(queue(slug));
  return (
    <Await query={query} what="the queue">
      {(shown) => (
        <div className={styles.queue}>
          <Summary of={shown} />
          <Evaluations of={shown} />
          <Leases of={shown} isAll={slug === undefined} />
          <Failures of={shown} />
        </div>
      )}
    </Await>
  );
}

function Summary({ of: { phases, shards, oldest_queued_s } }: { of: Shown }) {
  const queued = phases.reduce((sum, phase) => sum + phase.queued, 0);
  const running = phases.reduce((sum, phase) => sum + phase.running, 0);
  return (
    <>
      <p>
        {oldest_queued_s === null
          ? "No evaluation is waiting."
          : `The longest wait so far is ${span(oldest_queued_s)}.`}
      </p>
      <Facts
        of={[
          ["Evaluations waiting", queued],
          ["Evaluations running", running],
          ["Batches of runs waiting", shards.queued ?? 0],
          ["Batches of runs running", shards.running ?? 0],
        ]}
      />
      {phases.length > 1 && (
        <Table
          label="Queue by phase"
          rows={phases}
          keyOf={placeOf}
          columns={[
            { name: "phase", kind: "heading", show: placeOf },
            { name: "runs on", show: (phase) => phase.device },
            { name: "waiting", show: (phase) => phase.queued },
            { name: "running", show: (phase) => phase.running },
            {
              name: "longest wait",
              show: ({ oldest_queued_s: age_s }) => (age_s === null ? "–" : span(age_s)),
            },
          ]}
        />
      )}
    </>
  );
}

function Evaluations({ of }: { of: Shown }) {
  const [all, setAll] = useState(false);
  const { evaluations } = of;
  if (evaluations.length === 0) return null;
  return (
    <>
      <Table
        label="Waiting and running evaluations"
        rows={evaluations.slice(0, all ? undefined : FEW)}
        keyOf={(one) => one.id}
        columns={[
          { name: "submission", kind: "heading", show: (one) => <Code of={one.submission} /> },
          { name: "phase", show: placeOf },
          {
            name: "state",
            kind: "badges",
            show: (one) => (
              <>
                <Badge tone={one.state === "running" ? "river" : "calm"}>{one.state}</Badge>{" "}
                {one.is_re_run && <Badge>re-run</Badge>}{" "}
                {one.attempt > 1 && <Badge tone="warn">attempt {one.attempt}</Badge>}
              </>
            ),
          },
          { name: "runs done", show: (one) => `${one.seeds_done} of ${one.seeds}` },
          { name: "queued", show: (one) => `${span(one.age_s)} ago` },
        ]}
      />
      {!all && evaluations.length > FEW && (
        <p>
          <Button onClick={() => setAll(true)}>Show {extent(of)}</Button>
        </p>
      )}
      {all && <p>Showing {extent(of)}, in the order in which workers take them.</p>}
    </>
  );
}

function Leases({ of, isAll }: { of: Shown; isAll: boolean }) {
  const { leases } = of;
  const workers = new Set(leases.map((lease) => lease.worker)).size;
  return (
    <>
      <h3>Workers</h3>
      <p>
        {workers === 0 ? "No worker is busy." : `${count(workers, "worker")} busy.`} Idle workers are not
        listed.
      </p>
      {isStuck(of) && <NobodyServes isAll={isAll} />}
      {leases.length > 0 && (
        <Table
          label="Workers"
          rows={leases}
          keyOf={(lease) => `${lease.evaluation_id} ${lease.seed_start}`}
          columns={[
            { name: "worker", kind: "heading", show: (lease) => lease.worker },
            { name: "device", show: (lease) => lease.device_class ?? "–" },
            { name: "phase", show: placeOf },
            { name: "runs", show: (lease) => `${lease.seed_start + 1}–${lease.seed_stop}` },
            {
              name: "done",
              show: (lease) => `${lease.seeds_done} of ${lease.seed_stop - lease.seed_start}`,
            },
            {
              name: "lease",
              show: ({ expires_in_s: left_s }) =>
                left_s > 0 ? (
                  `expires in ${span(left_s)} unless renewed`
                ) : (
                  <Badge tone="bad">expired {span(-left_s)} ago</Badge>
                ),
            },
          ]}
        />
      )}
    </>
  );
}

/** Of one competition it cannot be told whether workers are busy with another. */
function NobodyServes({ isAll }: { isAll: boolean }) {
  if (!isAll) {
    return (
      <p className={styles.stuck} role="status">
        Submissions are waiting but no worker has picked them up. Workers may be busy, or none may match the
        phase&rsquo;s requirements. If this persists, contact an operator.
      </p>
    );
  }
  return (
    <p className={styles.stuck} role="status">
      Submissions are waiting but no worker has picked them up. Start a worker with <code>lethe worker</code>,
      or under Docker Compose with <code>docker compose up -d worker</code>. If one is running, run{" "}
      <code>lethe doctor</code> on its host to find the problem. A phase on a GPU needs a worker with a GPU.
    </p>
  );
}

function Failures({ of: { platform_failures: failures } }: { of: Shown }) {
  return (
    <>
      <h3>Platform failures</h3>
      {failures.length === 0 ? (
        <p>No platform failures.</p>
      ) : (
        <ul className={styles.failures}>
          {failures.map((failure) => (
            <li key={failure.evaluation_id}>
              <p>
                <Code of={failure.submission} />, {failure.competition}, {failure.phase}
                {failure.failed_at && (
                  <>
                    , <Moment at={failure.failed_at} />
                  </>
                )}
              </p>
              <p>{failure.message}</p>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Code({ of }: { of: OpenEvaluation["submission"] }) {
  if (!of) return <>no submission</>;
  return (
    <>
      <Link to="/submissions/$id" params={{ id: of.id }}>
        {of.name}
      </Link>{" "}
      by <bdi>{of.team}</bdi>
    </>
  );
}

function placeOf({ competition, phase }: { competition: string; phase: string }): string {
  return `${competition}, ${phase}`;
}
