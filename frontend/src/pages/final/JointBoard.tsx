import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { PhaseKey } from "../../api/queries/board";
import { final, finalBoard } from "../../api/queries/final";
import type { Joint } from "../../api/types";
import { Await } from "../../ui/Await";
import { More } from "../../ui/More";
import { Section } from "../../ui/Page";
import { Table } from "../../ui/Table";

/** Teams by the mean of their ranks, if a final runs on several benchmarks. */
export function JointBoard({ path }: { path: PhaseKey }) {
  const { data } = useQuery(final(path));
  if (!data || data.phases.length < 2) return null;
  return (
    <Section title="All benchmarks together">
      <Rows path={path} phases={data.phases.map((one) => one.phase)} />
    </Section>
  );
}

function Rows({ path, phases }: { path: PhaseKey; phases: readonly string[] }) {
  const query = useInfiniteQuery(finalBoard(path));
  return (
    <Await query={query} what="the joint board">
      {({ pages }) => {
        const rows = pages.flatMap((page) => page.items);
        if (rows.length === 0) return <p>It appears once every benchmark has a board.</p>;
        return (
          <>
            <p>
              Teams are ordered by the mean of their ranks. Its interval holds with 95%: it is the mean of the
              ends of the rank intervals, which are wider here so that all of them hold together.
            </p>
            <Table
              label="Joint board"
              rows={rows}
              keyOf={(row) => row.team}
              columns={[
                { name: "rank", show: (row) => row.rank ?? "–" },
                { name: "team", kind: "heading", show: (row) => <bdi>{row.team}</bdi> },
                { name: "mean rank", show: meanRank },
                ...phases.map((phase) => ({ name: phase, show: (row: Joint) => rankIn(row, phase) })),
              ]}
            />
            <More of={query} />
          </>
        );
      }}
    </Await>
  );
}

function meanRank({ mean_rank, mean_low, mean_high }: Joint): string {
  if (mean_rank === null || mean_low === null || mean_high === null) return "–";
  return `${mean_rank.toFixed(2)} (${mean_low.toFixed(2)} to ${mean_high.toFixed(2)})`;
}

function rankIn({ places }: Joint, phase: string): string {
  const rank = places.find((one) => one.phase === phase)?.rank;
  return rank == null ? "–" : String(rank);
}
