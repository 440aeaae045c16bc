import * as Plot from "@observablehq/plot";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { answer, api } from "../../api/client";
import { reliability } from "../../api/queries/board";
import { refresh } from "../../api/queries/keys";
import type { Reliability as Found } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { Chart } from "../../ui/Chart";
import { Progress } from "../../ui/Progress";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { useCatalogue } from "../../ui/useCatalogue";
import { columnInfo, suiteTitle } from "../../words/catalogue";
import { interval, percent, plain } from "../../words/numbers";
import { byRuns, disagreeing, nameOf } from "../../words/reliability";
import styles from "./Reliability.module.css";

interface Props {
  path: { slug: string; phase: string };
  /** Whether the reader may have it computed. */
  organises: boolean;
}

/** How far to trust the numbers of a leaderboard. Loaded only when it is opened. */
export default function Reliability({ path, organises }: Props) {
  const query = useQuery(reliability(path));
  return (
    <Await query={query} what="these figures">
      {({ found, made_at, under_way, done, total, problem }) => (
        <div className={styles.figures}>
          {under_way && (
            <>
              <p role="status">
                {total === 0 ? "Waiting for the scorer." : `Computing: ${done} of ${total} steps.`}
              </p>
              <Progress done={done} of={total} label="Steps computed" />
            </>
          )}
          {problem && <p>The last computation failed: {problem}</p>}
          {organises && !under_way && <Ask path={path} again={found !== null} />}
          {found === null ? (
            !under_way && <p>Nobody has had these figures computed yet. The organiser can.</p>
          ) : (
            <Figures of={found} at={made_at} />
          )}
        </div>
      )}
    </Await>
  );
}

function Ask({ path, again }: { path: Props["path"]; again: boolean }) {
  const client = useQueryClient();
  const ask = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/competitions/{slug}/phases/{phase}/reliability", { params: { path } })),
    onSuccess: () => refresh(client, "relying"),
  });
  return (
    <>
      <p>
        <Button busy={ask.isPending} onClick={() => ask.mutate()}>
          {again ? "Compute these figures anew" : "Compute these figures"}
        </Button>{" "}
        It takes minutes, while no score waits.
      </p>
      <Notice error={ask.error} />
    </>
  );
}

function Figures({ of: found, at }: { of: Found; at: string | null }) {
  const catalogue = useCatalogue();
  const title = (suite: string | null, name: string) =>
    suite === null ? name : `${suiteTitle(catalogue, suite)}: ${columnInfo(catalogue, suite, name).title}`;
  const runs = byRuns(found);
  const pairs = disagreeing(found);
  const { card } = found;
  return (
    <>
      <p>
        Of the best {found.entries} entries, {found.models} runs each
        {at && (
          <>
            , as of <Moment at={at} />
          </>
        )}
        .
      </p>
      {runs.length > 0 && (
        <>
          <h3>The order from fewer runs</h3>
          <Chart
            of={runs}
            draw={drawRuns}
            label="Agreement of the order from fewer runs with that of all runs"
          >
            Kendall&rsquo;s tau between the order of all {found.models} runs and that of fewer, for each
            metric: 1 means the same order, 0 an unrelated one. Bars hold 95% of draws of runs.
          </Chart>
        </>
      )}
      {pairs.length > 0 && (
        <>
          <h3>Where numbers disagree with the leaderboard</h3>
          <Table
            label="Numbers that agree least with the order of the leaderboard"
            rows={pairs}
            keyOf={({ number }) => number}
            columns={[
              { name: "number", kind: "heading", show: ({ number }) => title(...nameOf(number)) },
              { name: "Kendall\u2019s tau", show: ({ tau }) => tau.value.toFixed(2) },
              { name: "95% interval", show: ({ tau }) => interval(tau.low, tau.high) },
              { name: "entries", show: ({ entries }) => entries },
            ]}
          />
        </>
      )}
      {card && (
        <>
          <h3>Each number, if the truth is known</h3>
          <p>
            From {card.draws} draws of {card.models} retrained models, which forgot everything: the limits
            within which they lie, and how often others of them lie beyond (false alarms, about 5% on each
            side). Then how often models are found that kept a share of what the original knows of the forget
            set.
          </p>
          <Table
            label="Limits, false alarms and power of each number"
            rows={card.columns}
            keyOf={({ suite, name }) => `${suite}/${name}`}
            columns={[
              { name: "number", kind: "heading", show: ({ suite, name }) => title(suite, name) },
              { name: "from", show: ({ low }) => (low === null ? "" : plain(low)) },
              { name: "to", show: ({ high }) => (high === null ? "" : plain(high)) },
              { name: "false alarms", show: ({ false_alarms }) => percent(false_alarms.value) },
              ...card.planted.map((kept) => ({
                name: `found if ${percent(kept)} is kept`,
                show: ({ power }: Powerful) => percent(power[String(kept)]?.value ?? 0),
              })),
            ]}
          />
        </>
      )}
    </>
  );
}

interface Powerful {
  power: Readonly<Record<string, { value: number }>>;
}

function drawRuns(runs: ReturnType<typeof byRuns>, width: number): Element {
  return Plot.plot({
    width,
    height: 240,
    marginLeft: 40,
    marginBottom: 40,
    className: "chart",
    style: { background: "transparent" },
    fx: { label: null },
    x: { type: "point", label: "runs" },
    y: { label: "tau", domain: [Math.min(0, ...runs.map((one) => one.low)), 1], grid: true, tickSize: 3 },
    marks: [
      Plot.ruleX(runs, {
        fx: "metric",
        x: "models",
        y1: "low",
        y2: "high",
        stroke: "var(--reach)",
        strokeWidth: 4,
      }),
      Plot.line(runs, { fx: "metric", x: "models", y: "value", stroke: "var(--river)" }),
      Plot.dot(runs, { fx: "metric", x: "models", y: "value", fill: "var(--river)", r: 3 }),
    ],
  });
}
