import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { queue } from "../../api/queries";
import type { OpenEvaluation, Queue as Shown } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Facts } from "../../ui/Facts";
import { Scroll } from "../../ui/Scroll";
import { Moment } from "../../ui/Time";
import { count } from "../../words/numbers";
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
          <Leases of={shown} />
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
          ? "Nothing waits."
          : `The oldest of what waits was queued ${span(oldest_queued_s)} ago.`}
      </p>
      <Facts
        of={[
          ["Evaluations waiting", queued],
          ["Evaluations running", running],
          ["Shards waiting", shards.queued ?? 0],
          ["Shards running", shards.running ?? 0],
        ]}
      />
      {phases.length > 1 && (
        <Scroll label="Queue by phase">
          <table>
            <thead>
              <tr>
                <th>phase</th>
                <th>runs on</th>
                <th>waiting</th>
                <th>running</th>
                <th>oldest that waits</th>
              </tr>
            </thead>
            <tbody>
              {phases.map((phase) => (
                <tr key={`${phase.competition} ${phase.phase}`}>
                  <th scope="row">
                    {phase.competition}, {phase.phase}
                  </th>
                  <td data-label="runs on">{phase.device}</td>
                  <td data-label="waiting">{phase.queued}</td>
                  <td data-label="running">{phase.running}</td>
                  <td data-label="oldest that waits">
                    {phase.oldest_queued_s === null ? "–" : span(phase.oldest_queued_s)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

function Evaluations({ of: { evaluations } }: { of: Shown }) {
  const [all, setAll] = useState(false);
  if (evaluations.length === 0) return null;
  return (
    <>
      <Scroll label="Evaluations that wait or run">
        <table>
          <thead>
            <tr>
              <th>submission</th>
              <th>phase</th>
              <th>state</th>
              <th>runs done</th>
              <th>queued</th>
            </tr>
          </thead>
          <tbody>
            {evaluations.slice(0, all ? undefined : FEW).map((one) => (
              <tr key={one.id}>
                <th scope="row">
                  <Code of={one.submission} />
                </th>
                <td data-label="phase">
                  {one.competition}, {one.phase}
                </td>
                <td>
                  <Badge tone={one.state === "running" ? "river" : "calm"}>{one.state}</Badge>{" "}
                  {one.is_re_run && <Badge>new run</Badge>}{" "}
                  {one.attempt > 1 && <Badge tone="warn">try {one.attempt}</Badge>}
                </td>
                <td data-label="runs done">
                  {one.seeds_done} of {one.seeds}
                </td>
                <td data-label="queued">{span(one.age_s)} ago</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {!all && evaluations.length > FEW && (
        <p>
          <Button onClick={() => setAll(true)}>Show all {evaluations.length}</Button>
        </p>
      )}
    </>
  );
}

function Leases({ of: { leases } }: { of: Shown }) {
  const workers = new Set(leases.map((lease) => lease.worker)).size;
  return (
    <>
      <h3>Workers</h3>
      <p>
        {workers === 0 ? "None is at work." : `${count(workers, "worker")} at work.`} An idle worker holds
        nothing, so it is not seen here.
      </p>
      {leases.length > 0 && (
        <Scroll label="Workers">
          <table>
            <thead>
              <tr>
                <th>worker</th>
                <th>device</th>
                <th>phase</th>
                <th>runs</th>
                <th>done</th>
                <th>lease</th>
              </tr>
            </thead>
            <tbody>
              {leases.map((lease) => (
                <tr key={`${lease.evaluation_id} ${lease.seed_start}`}>
                  <th scope="row">{lease.worker}</th>
                  <td data-label="device">{lease.device_class ?? "–"}</td>
                  <td data-label="phase">
                    {lease.competition}, {lease.phase}
                  </td>
                  <td data-label="runs">
                    {lease.seed_start + 1}–{lease.seed_stop}
                  </td>
                  <td data-label="done">
                    {lease.seeds_done} of {lease.seed_stop - lease.seed_start}
                  </td>
                  <td data-label="lease">
                    {lease.expires_in_s > 0 ? (
                      `ends in ${span(lease.expires_in_s)} unless renewed`
                    ) : (
                      <Badge tone="bad">silent for {span(-lease.expires_in_s)}</Badge>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

function Failures({ of: { platform_failures: failures } }: { of: Shown }) {
  return (
    <>
      <h3>Failures of the platform</h3>
      {failures.length === 0 ? (
        <p>None.</p>
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
