import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { campaign, moves } from "../../api/queries/board";
import type { Move, Preview, Unscorable } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { More } from "../../ui/More";
import { Loading } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Term } from "../../ui/Term";
import { rankOf } from "../../words/moves";
import { count, score } from "../../words/numbers";

interface Path {
  slug: string;
  phase: string;
  campaign_id: string;
}

/** What a campaign does to each team: from which rank to which. */
export function Moves({ path }: { path: Path }) {
  const query = useQuery(campaign(path));
  return (
    <Await query={query} what="the preview">
      {({ preview, unscorable }) => (
        <>
          {unscorable.length > 0 && <SetAside items={unscorable} />}
          {preview ? <Listed of={preview} path={path} /> : <Loading what="the preview" />}
        </>
      )}
    </Await>
  );
}

function SetAside({ items }: { items: readonly Unscorable[] }) {
  return (
    <section aria-label="Not scored">
      <p>
        <Badge tone="bad">not scored</Badge> {count(items.length, "submission")} could not be scored by this
        metric. The team&rsquo;s next-best entry is shown instead; a failed re-run keeps its previous score.
      </p>
      <ul>
        {items.map((one) => (
          <li key={one.submission_id}>
            <Link to="/submissions/$id" params={{ id: one.submission_id }}>
              {one.submission}
            </Link>{" "}
            of {one.team}: {one.reason}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Listed({ of, path }: { of: Preview; path: Path }) {
  const query = useInfiniteQuery(moves(path, of));
  return (
    <>
      <p>
        {of.moved} of {of.entries} entries would change rank, {of.separated} of them beyond noise. Brackets
        show the 95% <Term of="rank interval">rank interval</Term>. A change is beyond noise if the intervals
        before and after do not overlap.
      </p>
      <Await query={query} what="the rank changes">
        {({ pages }) => <RankChanges moves={pages.flatMap((page) => page.items)} />}
      </Await>
      <More of={query} />
    </>
  );
}

function RankChanges({ moves: rows }: { moves: readonly Move[] }) {
  return (
    <Table
      label="Rank changes"
      rows={rows}
      keyOf={(move) => `${move.team} ${move.reference}`}
      columns={[
        { name: "team", kind: "heading", show: (move) => move.team },
        { name: "rank before", show: (move) => rankOf(move.before) },
        { name: "rank after", show: (move) => `${rankOf(move.after)}${change(move)}` },
        { name: "score before", show: (move) => points(move.before) },
        { name: "score after", show: (move) => points(move.after) },
        {
          name: "notes",
          kind: "badges",
          show: (move) => (
            <>
              {move.reference !== "none" && <Badge>reference</Badge>}{" "}
              {move.separated && <Badge tone="warn">beyond noise</Badge>}{" "}
              {move.re_run_failed && <Badge tone="bad">re-run failed, previous score kept</Badge>}
            </>
          ),
        },
      ]}
    />
  );
}

function points(place: Move["before"]): string {
  return place ? score(place.final_score, place.ci_low, place.ci_high) : "–";
}

function change({ ranks_up: up }: Move): string {
  if (!up) return "";
  return up > 0 ? `, up ${up}` : `, down ${-up}`;
}
