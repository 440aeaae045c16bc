import { useQuery } from "@tanstack/react-query";
import { campaign } from "../../api/queries";
import type { Move } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Table } from "../../ui/Table";
import { score } from "../../words/numbers";

/** What a campaign does to each team: from which rank to which. */
export function Moves({ path }: { path: { slug: string; phase: string; campaign_id: string } }) {
  const query = useQuery(campaign(path));
  return (
    <Await query={query} what="what moves">
      {({ moves }) => (
        <Table
          label="What moves"
          rows={moves}
          keyOf={(move) => `${move.team} ${move.reference}`}
          columns={[
            { name: "team", kind: "heading", show: (move) => move.team },
            { name: "rank before", show: (move) => rank(move.before) },
            { name: "rank after", show: (move) => `${rank(move.after)} ${change(move)}` },
            { name: "score before", show: (move) => points(move.before) },
            { name: "score after", show: (move) => points(move.after) },
            {
              name: "notes",
              kind: "badges",
              show: (move) => (
                <>
                  {move.reference !== "none" && <Badge>reference</Badge>}{" "}
                  {move.separated && <Badge tone="warn">beyond noise</Badge>}{" "}
                  {move.re_run_failed && <Badge tone="bad">new run failed, old one counts</Badge>}
                </>
              ),
            },
          ]}
        />
      )}
    </Await>
  );
}

function rank(place: Move["before"]): string {
  return place?.rank?.toString() ?? "–";
}

function points(place: Move["before"]): string {
  return place ? score(place.final_score, place.ci_low, place.ci_high) : "–";
}

function change({ ranks_up: up }: Move): string {
  if (!up) return "";
  return up > 0 ? `(up ${up})` : `(down ${-up})`;
}
