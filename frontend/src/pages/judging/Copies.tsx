import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { copies } from "../../api/queries/judging";
import type { Copied } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { More } from "../../ui/More";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { alike } from "../../words/copies";

/**
 * Near-identical entries of different teams, by code or by weights. It tells nothing about who copied, or whether both
 * began from public code.
 */
export function Copies({ slug }: { slug: string }) {
  const query = useInfiniteQuery(copies(slug));
  return (
    <>
      <Await query={query} what="near-identical entries">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0)
            return <p>No team&rsquo;s entry is nearly that of another, by code or by weights.</p>;
          return (
            <Table
              label="Near-identical entries"
              rows={items}
              keyOf={({ kind, later, earlier }) => `${kind} ${later.submission_id} ${earlier.submission_id}`}
              columns={[
                { name: "later", kind: "heading", show: ({ later }) => <Entry of={later} /> },
                { name: "earlier", show: ({ earlier }) => <Entry of={earlier} /> },
                { name: "submitted", show: ({ later }) => <Moment at={later.submitted_at} /> },
                {
                  name: "alike",
                  kind: "badges",
                  show: (copy) => <Badge tone={copy.same_code ? "bad" : "warn"}>{alike(copy)}</Badge>,
                },
                {
                  name: "compare",
                  kind: "acts",
                  show: ({ later, earlier }) => (
                    <Link
                      to="/submissions/$id/code"
                      params={{ id: later.submission_id }}
                      search={{ other: earlier.submission_id }}
                    >
                      Compare
                    </Link>
                  ),
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

function Entry({ of: { submission_id, submission, team } }: { of: Copied }) {
  return (
    <>
      <Link to="/submissions/$id" params={{ id: submission_id }}>
        {submission}
      </Link>{" "}
      by <bdi>{team}</bdi>
    </>
  );
}
