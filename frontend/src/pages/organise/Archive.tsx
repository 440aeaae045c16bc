import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import { freezes } from "../../api/queries/competition";
import { refresh } from "../../api/queries/keys";
import type { Freeze } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { Row } from "../../ui/Card";
import { More } from "../../ui/More";
import { Section } from "../../ui/Page";
import { Progress } from "../../ui/Progress";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { freezeInWords, isUnderWay } from "../../words/freezes";
import { may } from "../../words/roles";
import { useCompetition, useRole } from "../competition/context";

/** The competition as one file that outlives the server: asked for here, written beside, downloaded. */
export function Archive() {
  const { slug } = useCompetition();
  const organises = may(useRole(), "organiser");
  const query = useInfiniteQuery(freezes(slug));
  return (
    <Section title="Frozen archive">
      <p>
        An archive holds what everybody may read now: leaderboards, pages, announcements, receipts and the
        record, as a website that needs no server. Sealed finals stay out. The platform keeps it for 7 days,
        so download it. <code>lethe competition verify</code> checks one.{" "}
        <Link to="/docs/$" params={{ _splat: "organiser" }} hash="freeze-it">
          How to freeze a competition
        </Link>
      </p>
      <Await query={query} what="the archives">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          const current = items.find(isUnderWay);
          return (
            <>
              {organises && <Ask slug={slug} isBusy={current !== undefined} />}
              {current && (
                <>
                  <p role="status">An archive is being written. {freezeInWords(current)}</p>
                  <Progress done={current.done} of={Math.max(current.total, 1)} label="The archive" />
                </>
              )}
              <Made slug={slug} items={items.filter((one) => !isUnderWay(one))} />
            </>
          );
        }}
      </Await>
      <More of={query} />
    </Section>
  );
}

function Ask({ slug, isBusy }: { slug: string; isBusy: boolean }) {
  const client = useQueryClient();
  const ask = useMutation({
    mutationFn: () => answer(api.POST("/api/competitions/{slug}/freezes", { params: { path: { slug } } })),
    onSettled: () => refresh(client, "freezing"),
  });
  return (
    <>
      <Row>
        <Button look="main" busy={ask.isPending} disabled={isBusy} onClick={() => ask.mutate()}>
          Freeze the competition
        </Button>
      </Row>
      <Notice error={ask.error} />
    </>
  );
}

function Made({ slug, items }: { slug: string; items: readonly Freeze[] }) {
  if (items.length === 0) return null;
  return (
    <Table
      label="Archives"
      rows={items}
      keyOf={(one) => one.id}
      columns={[
        { name: "asked for", kind: "heading", show: (one) => <Moment at={one.created_at} /> },
        { name: "state", show: freezeInWords },
        { name: "head of the record", show: (one) => <code>{one.head?.slice(0, 20) ?? "–"}</code> },
        {
          name: "download",
          kind: "acts",
          show: (one) =>
            one.available && (
              <a href={`/api/competitions/${slug}/freezes/${one.id}/archive`} download>
                Download
              </a>
            ),
        },
      ]}
    />
  );
}
