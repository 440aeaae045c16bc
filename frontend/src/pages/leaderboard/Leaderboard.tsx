import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { leaderboard, me } from "../../api/queries";
import type { Entry, Phase } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { Row } from "../../ui/Card";
import { Choice } from "../../ui/Field";
import { Section } from "../../ui/Page";
import { Empty, Loading } from "../../ui/states";
import { Moment } from "../../ui/Time";
import { suiteColumns, words } from "../../words/board";
import { count } from "../../words/numbers";
import { usePhase } from "../competition/context";
import { PhaseChoice } from "../competition/PhaseChoice";
import { Board } from "./Board";
import styles from "./Leaderboard.module.css";

const Plane = lazy(() => import("./Plane"));

export function Leaderboard() {
  const phase = usePhase();
  if (!phase) return <Empty title="No board yet">It comes with the first phase.</Empty>;
  return (
    <>
      <PhaseChoice part="leaderboard" />
      <PhaseBoard key={phase.slug} phase={phase} />
    </>
  );
}

function PhaseBoard({ phase }: { phase: Phase }) {
  const query = useInfiniteQuery(leaderboard({ slug: phase.competition, phase: phase.slug }));
  return (
    <Await query={query} what="the board">
      {({ pages }) => {
        const first = pages[0];
        const entries = pages.flatMap((page) => page.items);
        if (!first || entries.length === 0) {
          return <Empty title="Nobody stands here yet">The first scored submission opens the board.</Empty>;
        }
        return (
          <>
            <p className={styles.summary}>
              {count(first.total, "row")}, ranked by {first.metric}
              {first.as_of && (
                <>
                  , last changed <Moment at={first.as_of} />
                </>
              )}
              . The bar is the 95 % interval of the score, were the same entry run again. Entries joined by a
              bracket are not separated by their noise.
            </p>
            <Entries entries={entries} />
            {query.hasNextPage && (
              <p className={styles.more}>
                <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  Show more
                </Button>
              </p>
            )}
          </>
        );
      }}
    </Await>
  );
}

function Entries({ entries }: { entries: readonly Entry[] }) {
  const { data: who } = useQuery(me);
  const own = new Set(who?.teams.map((team) => team.name));
  const [columns, setColumns] = useState("parts");
  const suites = [...suiteColumns(entries).keys()];
  const metrics = [...new Set(entries.flatMap((entry) => Object.keys(entry.other_scores)))];
  const certified = entries.some((entry) => entry.certificate);
  return (
    <>
      <div className={styles.columns}>
        <Row>
          <Choice
            label="Columns"
            value={columns}
            onChange={(event) => setColumns(event.target.value)}
            options={[
              { value: "parts", label: "Parts of the score" },
              { value: "intervals", label: "Intervals of its parts" },
              ...metrics.map((metric) => ({ value: `metric:${metric}`, label: `By ${metric}` })),
              ...suites.map((suite) => ({ value: `suite:${suite}`, label: `Suite: ${words(suite)}` })),
              ...(certified ? [{ value: "certificate", label: "Certificates" }] : []),
            ]}
          />
        </Row>
      </div>
      <Board entries={entries} own={own} columns={columns} />
      <Section title="Forgetting against utility">
        <Suspense fallback={<Loading what="the chart" />}>
          <Plane entries={entries} own={own} />
        </Suspense>
      </Section>
    </>
  );
}
