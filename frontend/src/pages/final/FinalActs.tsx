import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import type { PhaseKey } from "../../api/queries/board";
import { final, finalEntries, finalPreview, finalProgress } from "../../api/queries/final";
import { refresh } from "../../api/queries/keys";
import type { Final, FinalTeam } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { More } from "../../ui/More";
import { Progress } from "../../ui/Progress";
import { StateBadge } from "../../ui/StateBadge";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { previewInWords, progressInWords } from "../../words/finals";
import { FinalFacts } from "./FinalFacts";

const PATH = "/api/competitions/{slug}/phases/{phase}/final" as const;

/** Who is in a final and how far it is; organisers also start it, publish it and seal it again. */
export function FinalActs({ path, organises }: { path: PhaseKey; organises: boolean }) {
  const query = useQuery(final(path));
  return (
    <Await query={query} what="the final">
      {(found) => (
        <>
          <FinalFacts of={found} />
          {found.started_at === null ? <Preview path={path} /> : <Runs path={path} />}
          {organises && (found.started_at === null ? <Start path={path} /> : <Acts path={path} of={found} />)}
          <Entries path={path} isStarted={found.started_at !== null} />
        </>
      )}
    </Await>
  );
}

function Preview({ path }: { path: PhaseKey }) {
  const query = useQuery(finalPreview(path));
  return (
    <Await query={query} what="the preview">
      {(counted) => <p role="status">{previewInWords(counted)}</p>}
    </Await>
  );
}

function Start({ path }: { path: PhaseKey }) {
  const start = useAct(() => answer(api.POST(`${PATH}/start`, { params: { path } })));
  return (
    <>
      <Row>
        <Confirm
          act="Start the final"
          look="main"
          title="Start the final?"
          busy={start.isPending}
          onConfirm={() => start.mutate()}
        >
          Selections and withdrawals are fixed from now on. The entries run, and only those who run or review
          the competition see how they do until you publish the final.
        </Confirm>
      </Row>
      <Notice error={start.error} />
    </>
  );
}

function Runs({ path }: { path: PhaseKey }) {
  const query = useQuery(finalProgress(path));
  return (
    <Await query={query} what="the progress">
      {(shown) => (
        <>
          <p role="status">{progressInWords(shown)}</p>
          <Progress done={shown.ended} of={shown.entries} label="Entries that have ended" />
        </>
      )}
    </Await>
  );
}

function Acts({ path, of }: { path: PhaseKey; of: Final }) {
  const query = useQuery(finalProgress(path));
  const complete = query.data?.complete ?? false;
  const publish = useAct(() =>
    answer(api.POST(`${PATH}/publish`, { params: { path }, body: { anyway: !complete } })),
  );
  const seal = useAct(() => answer(api.POST(`${PATH}/seal`, { params: { path } })));
  const again = useAct(() => answer(api.POST(`${PATH}/start`, { params: { path } })));
  return (
    <>
      <Row>
        {of.published_at === null ? (
          <>
            <Confirm
              act="Publish the final"
              look="main"
              title={complete ? "Publish the final?" : "Publish the final before all entries have ended?"}
              busy={publish.isPending}
              onConfirm={() => publish.mutate()}
            >
              Everybody sees boards, entries and the secret of the seeds at once. You can seal the boards
              again, but not the secret.
            </Confirm>
            <Confirm
              act="Enter teams that came back"
              look="main"
              title="Enter teams that have no entry yet?"
              busy={again.isPending}
              onConfirm={() => again.mutate()}
            >
              Teams that were reinstated since the start enter now. Entries that are there stay as they are.
            </Confirm>
          </>
        ) : (
          <Confirm
            act="Seal the final"
            title="Seal the final again?"
            busy={seal.isPending}
            onConfirm={() => seal.mutate()}
          >
            Boards and entries are hidden again. Whoever read them, or the secret, knows them.
          </Confirm>
        )}
      </Row>
      <Notice error={publish.error ?? seal.error ?? again.error} />
    </>
  );
}

function Entries({ path, isStarted }: { path: PhaseKey; isStarted: boolean }) {
  const { data, dataUpdatedAt } = useQuery({ ...finalProgress(path), enabled: isStarted });
  const settledAt = data?.complete ? dataUpdatedAt : Number.POSITIVE_INFINITY;
  const query = useInfiniteQuery(finalEntries(path, isStarted ? settledAt : 0));
  return (
    <Await query={query} what="the entries">
      {({ pages }) => {
        const rows = pages.flatMap((page) => page.items);
        if (rows.length === 0) return <p>No team has submitted anything yet.</p>;
        return (
          <>
            <Table
              label="Entries of the final"
              rows={rows}
              keyOf={(row) => row.team}
              columns={[
                { name: "team", kind: "heading", show: (row) => <bdi>{row.team}</bdi> },
                { name: "enters", show: (row) => <Entered of={row} /> },
              ]}
            />
            <More of={query} />
          </>
        );
      }}
    </Await>
  );
}

function Entered({ of }: { of: FinalTeam }) {
  if (of.entries.length === 0) return "nothing";
  return (
    <>
      {of.entries.map((one) => (
        <p key={one.submission_id}>
          <Link to="/submissions/$id" params={{ id: one.submission_id }}>
            {one.name}
          </Link>
          , from {one.phase} {of.by_default && <Badge>by default</Badge>}{" "}
          {one.runs.map((run) => (
            <span key={run.submission_id}>
              <Link to="/submissions/$id" params={{ id: run.submission_id }}>
                {run.phase}
              </Link>{" "}
              <StateBadge state={run.state} />{" "}
            </span>
          ))}
        </p>
      ))}
    </>
  );
}

/** An act on a final, and then a fresh look at all that it may have changed. */
function useAct(act: () => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => refresh(client, "final") });
}
