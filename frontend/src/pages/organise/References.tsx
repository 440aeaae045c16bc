import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import { type PhaseKey, references } from "../../api/queries/board";
import { refresh } from "../../api/queries/keys";
import type { ReferenceRow } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { Row } from "../../ui/Card";
import { StateBadge } from "../../ui/StateBadge";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { score } from "../../words/numbers";
import { runTime } from "../../words/time";

/** Doing nothing and retraining, made by the platform: how each row is, and making rows again. */
export function References({ path, organises }: { path: PhaseKey; organises: boolean }) {
  const query = useQuery(references(path));
  return (
    <Await query={query} what="the reference rows">
      {(found) =>
        found.why_none !== null ? (
          <p>{found.why_none}</p>
        ) : (
          <>
            <p>
              The platform makes these rows for comparison. They have no rank, cost no quota, and run when no
              entry waits. Run times are compared with the fastest full retraining on the board.
            </p>
            {found.waiting && (
              <p role="status">
                Rows are yet to be made. This takes seconds; in a draft, they wait until it is public.
              </p>
            )}
            {!found.wanted && <p>This phase was made without them.</p>}
            <Rows of={found.items} />
            {organises && <Make path={path} />}
          </>
        )
      }
    </Await>
  );
}

function Rows({ of }: { of: readonly ReferenceRow[] }) {
  return (
    <Table
      label="Reference rows"
      rows={of}
      keyOf={(one) => one.reference}
      columns={[
        {
          name: "row",
          kind: "heading",
          show: (one) =>
            one.submission_id === null ? (
              one.name
            ) : (
              <Link to="/submissions/$id" params={{ id: one.submission_id }}>
                {one.name}
              </Link>
            ),
        },
        { name: "epochs", show: (one) => one.epochs },
        {
          name: "state",
          show: (one) => (one.state === null ? "not made yet" : <StateBadge state={one.state} />),
        },
        { name: "time per run", show: (one) => (one.run_s === null ? "–" : runTime(one.run_s)) },
        { name: "score", show: (one) => (one.final_score === null ? "–" : score(one.final_score)) },
        { name: "failure", show: (one) => one.failure ?? "" },
      ]}
    />
  );
}

function Make({ path }: { path: PhaseKey }) {
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/competitions/{slug}/phases/{phase}/references", { params: { path } })),
    onSuccess: () => refresh(client, "referring"),
  });
  return (
    <>
      <Row>
        <Button busy={make.isPending} onClick={() => make.mutate()}>
          Make missing and failed rows
        </Button>
      </Row>
      <Notice error={make.error} />
    </>
  );
}
