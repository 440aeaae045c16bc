import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { matrices } from "../../api/queries/matrices";
import type { MatrixSummary } from "../../api/types";
import { Await } from "../../ui/Await";
import { More } from "../../ui/More";
import { Section } from "../../ui/Page";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { may } from "../../words/roles";
import { useCompetition, usePhase } from "../competition/context";
import { PhaseChoice } from "../competition/PhaseChoice";
import { Within } from "../competition/Within";
import { MatrixTable } from "./MatrixTable";
import { NewMatrix } from "./NewMatrix";

const route = getRouteApi("/competitions/$slug/organise/matrices");

/** Entries on other benchmarks, for organisers and reviewers: what was run, one table, and starting another. */
export function Matrices() {
  return <Within least="reviewer">{(role) => <All organises={may(role, "organiser")} />}</Within>;
}

function All({ organises }: { organises: boolean }) {
  const { slug } = useCompetition();
  const phase = usePhase();
  const { matrix } = route.useSearch();
  return (
    <>
      <p>
        A matrix runs chosen entries of a phase on chosen benchmarks, under the limits of that phase. No
        leaderboard shows it, and its teams do not see it.
      </p>
      {matrix && <MatrixTable key={matrix} slug={slug} id={matrix} organises={organises} />}
      <Section title="Matrices of this competition">
        <Listed slug={slug} />
      </Section>
      {organises && phase && (
        <Section title="Start a matrix">
          <PhaseChoice part="organise/matrices" />
          <NewMatrix key={phase.slug} phase={phase} />
        </Section>
      )}
    </>
  );
}

function Listed({ slug }: { slug: string }) {
  const query = useInfiniteQuery(matrices(slug));
  return (
    <Await query={query} what="matrices">
      {({ pages }) => {
        const rows = pages.flatMap((page) => page.items);
        if (rows.length === 0) return <p>None was started yet.</p>;
        return (
          <>
            <Table
              label="Matrices"
              rows={rows}
              keyOf={(one) => one.id}
              columns={[
                {
                  name: "title",
                  kind: "heading",
                  show: (one) => (
                    <Link
                      to="/competitions/$slug/organise/matrices"
                      params={{ slug }}
                      search={(before) => ({ ...before, matrix: one.id })}
                    >
                      {one.title}
                    </Link>
                  ),
                },
                { name: "phase", show: (one) => one.phase },
                { name: "entries", show: (one) => one.entries },
                { name: "benchmarks", show: (one) => one.benchmarks.join(", ") },
                { name: "ended", show: ended },
                { name: "started", show: (one) => <Moment at={one.created_at} /> },
              ]}
            />
            <More of={query} />
          </>
        );
      }}
    </Await>
  );
}

function ended(one: MatrixSummary): string {
  return `${one.ended} of ${one.runs}${one.cancelled_at === null ? "" : ", cancelled"}`;
}
