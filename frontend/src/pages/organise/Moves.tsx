import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { campaign } from "../../api/queries";
import type { Move, Unscorable } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Table } from "../../ui/Table";
import { Term } from "../../ui/Term";
import { isMoved, movedFirst, rankOf } from "../../words/moves";
import { count, score } from "../../words/numbers";

const FEW = 10;

/** What a campaign does to each team: from which rank to which. */
export function Moves({ path }: { path: { slug: string; phase: string; campaign_id: string } }) {
  const query = useQuery(campaign(path));
  return (
    <Await query={query} what="the preview">
      {({ moves, unscorable }) => (
        <>
          {unscorable.length > 0 && <SetAside items={unscorable} />}
          <Listed moves={moves} />
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

function Listed({ moves }: { moves: readonly Move[] }) {
  const [all, setAll] = useState(false);
  const separated = moves.filter((move) => move.separated).length;
  return (
    <>
      <p>
        {moves.filter(isMoved).length} of {moves.length} entries would change rank, {separated} of them beyond
        noise. Brackets show the 95% <Term of="rank interval">rank interval</Term>. A change is beyond noise
        if the intervals before and after do not overlap.
      </p>
      <Table
        label="Rank changes"
        rows={movedFirst(moves).slice(0, all ? undefined : FEW)}
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
      {!all && moves.length > FEW && (
        <p>
          <Button onClick={() => setAll(true)}>Show all {moves.length}</Button>
        </p>
      )}
    </>
  );
}

function points(place: Move["before"]): string {
  return place ? score(place.final_score, place.ci_low, place.ci_high) : "–";
}

function change({ ranks_up: up }: Move): string {
  if (!up) return "";
  return up > 0 ? `, up ${up}` : `, down ${-up}`;
}
