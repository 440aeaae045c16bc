import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import { refresh } from "../../api/queries/keys";
import { matrix } from "../../api/queries/matrices";
import type { MatrixCell, MatrixDetail, MatrixEntry } from "../../api/types";
import { Await } from "../../ui/Await";
import { Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Section } from "../../ui/Page";
import { Progress } from "../../ui/Progress";
import { StateBadge } from "../../ui/StateBadge";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { interval, score } from "../../words/numbers";

interface Props {
  slug: string;
  id: string;
  organises: boolean;
}

/** One matrix: entries by mean rank, with their score and rank on each benchmark. */
export function MatrixTable({ slug, id, organises }: Props) {
  const query = useQuery(matrix(slug, id));
  return (
    <Await query={query} what="the matrix">
      {(of) => (
        <Section title={of.title}>
          <p>
            Entries of {of.phase}, {of.seeds} runs each, scored by {of.metric}. A cell shows the final score
            with its 95% interval, and the rank among these entries with the ranks that its noise allows. The
            interval of a mean rank holds for all benchmarks together, with 95%.
          </p>
          {of.settled_at === null && (
            <Progress done={of.ended} of={of.runs} label="Evaluations that have ended" />
          )}
          <Entries of={of} />
          <p>
            <a href={`/api/competitions/${slug}/matrices/${id}/table.csv`} download>
              Download it as CSV
            </a>
          </p>
          {organises && of.ended < of.runs && <Cancel slug={slug} id={id} />}
        </Section>
      )}
    </Await>
  );
}

function Entries({ of }: { of: MatrixDetail }) {
  return (
    <Table
      label={of.title}
      rows={of.items}
      keyOf={(one) => one.submission_id}
      columns={[
        { name: "rank", show: (one) => one.rank ?? "–" },
        {
          name: "entry",
          kind: "heading",
          show: (one) => (
            <Link to="/submissions/$id" params={{ id: one.submission_id }}>
              <bdi>{one.team}</bdi>: <bdi>{one.name}</bdi>
            </Link>
          ),
        },
        { name: "mean rank", show: meanRank },
        ...of.columns.map(({ name, digest }, place) => ({
          name: of.columns.some((one) => one.name === name && one.digest !== digest)
            ? `${name} (${digest.slice(0, 8)})`
            : name,
          show: (one: MatrixEntry) => <Cell of={one.cells[place]} />,
        })),
      ]}
    />
  );
}

function Cell({ of }: { of: MatrixCell | undefined }) {
  if (!of) return null;
  if (of.final_score === null || of.ci_low === null || of.ci_high === null) {
    return (
      <span title={of.failure ?? undefined}>
        <StateBadge state={of.state} /> {of.failure_kind?.replaceAll("_", " ")}
      </span>
    );
  }
  return (
    <>
      {score(of.final_score)} ({interval(of.ci_low, of.ci_high)})
      <br />
      {of.rank === null ? "no rank" : `rank ${of.rank} (${of.rank_best} to ${of.rank_worst})`}
    </>
  );
}

function meanRank({ mean_rank, mean_low, mean_high }: MatrixEntry): string {
  if (mean_rank === null || mean_low === null || mean_high === null) return "–";
  return `${mean_rank.toFixed(2)} (${mean_low.toFixed(2)} to ${mean_high.toFixed(2)})`;
}

function Cancel({ slug, id }: { slug: string; id: string }) {
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/competitions/{slug}/matrices/{matrix_id}/cancel", {
          params: { path: { slug, matrix_id: id } },
        }),
      ),
    onSettled: () => refresh(client, "matrices"),
  });
  return (
    <>
      <Row>
        <Confirm
          act="Cancel the runs"
          title="Cancel the runs that have not ended?"
          busy={cancel.isPending}
          onConfirm={() => cancel.mutate()}
        >
          What is scored stays in the table.
        </Confirm>
      </Row>
      <Notice error={cancel.error} />
    </>
  );
}
