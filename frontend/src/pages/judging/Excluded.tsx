import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { exclusions } from "../../api/queries/judging";
import { refresh } from "../../api/queries/keys";
import type { Exclusion } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Confirm } from "../../ui/Confirm";
import { Area } from "../../ui/Field";
import { More } from "../../ui/More";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";

/** Every disqualification and withdrawal, newest first, those that ended too. */
export function Excluded({ slug, organises }: { slug: string; organises: boolean }) {
  const query = useInfiniteQuery(exclusions(slug));
  return (
    <>
      <Await query={query} what="what is off the boards">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0) return <p>Nothing was disqualified or withdrawn.</p>;
          return (
            <Table
              label="Off the boards"
              rows={items}
              keyOf={(one) => one.id}
              columns={[
                { name: "team", kind: "heading", show: (one) => <bdi>{one.team}</bdi> },
                { name: "entry", show: entry },
                {
                  name: "state",
                  kind: "badges",
                  show: (one) => <Badge tone={one.ended_at ? "calm" : "bad"}>{stateOf(one)}</Badge>,
                },
                { name: "since", show: (one) => <Moment at={one.created_at} /> },
                { name: "reason", show: reason },
                {
                  name: "reinstate",
                  kind: "acts",
                  show: (one) =>
                    organises &&
                    one.kind === "disqualified" &&
                    !one.ended_at && <Reinstate slug={slug} id={one.id} />,
                },
              ]}
            />
          );
        }}
      </Await>
      <More of={query} />
    </>
  );
}

function entry({ submission_id, submission }: Exclusion) {
  if (submission_id === null) return "all";
  return (
    <Link to="/submissions/$id" params={{ id: submission_id }}>
      {submission}
    </Link>
  );
}

function reason({ reason, ended_reason }: Exclusion) {
  return (
    <>
      <bdi>{reason || "–"}</bdi>
      {ended_reason && (
        <p>
          Reinstated: <bdi>{ended_reason}</bdi>
        </p>
      )}
    </>
  );
}

function stateOf({ kind, ended_at }: Exclusion): string {
  if (ended_at === null) return kind;
  return kind === "disqualified" ? "reinstated" : "entered again";
}

function Reinstate({ slug, id }: { slug: string; id: string }) {
  const [reason, setReason] = useState("");
  const client = useQueryClient();
  const reinstate = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/competitions/{slug}/disqualifications/{exclusion_id}/reinstate", {
          params: { path: { slug, exclusion_id: id } },
          body: { reason },
        }),
      ),
    onSuccess: () => refresh(client, "judging"),
  });
  return (
    <>
      <Notice error={reinstate.error} />
      <Confirm
        act="Reinstate"
        title="Reinstate it?"
        look="main"
        busy={reinstate.isPending}
        onConfirm={() => reinstate.mutate()}
      >
        <p>It competes again from now on.</p>
        <Area
          label="Reason"
          hint="The team sees it."
          rows={3}
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </Confirm>
    </>
  );
}
