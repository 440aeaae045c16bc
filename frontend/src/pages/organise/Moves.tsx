import { useQuery } from "@tanstack/react-query";
import { campaign } from "../../api/queries";
import type { Move } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Scroll } from "../../ui/Scroll";
import { score } from "../../words/numbers";

/** What a campaign does to each team: from which rank to which. */
export function Moves({ path }: { path: { slug: string; phase: string; campaign_id: string } }) {
  const query = useQuery(campaign(path));
  return (
    <Await query={query} what="what moves">
      {({ moves }) => (
        <Scroll label="What moves">
          <table>
            <thead>
              <tr>
                <th>team</th>
                <th>rank before</th>
                <th>rank after</th>
                <th>score before</th>
                <th>score after</th>
                <th>notes</th>
              </tr>
            </thead>
            <tbody>
              {moves.map((move) => (
                <tr key={`${move.team} ${move.reference}`}>
                  <th scope="row">{move.team}</th>
                  <td data-label="rank before">{rank(move.before)}</td>
                  <td data-label="rank after">
                    {rank(move.after)} {change(move)}
                  </td>
                  <td data-label="score before">{points(move.before)}</td>
                  <td data-label="score after">{points(move.after)}</td>
                  <td>
                    {move.reference !== "none" && <Badge>reference</Badge>}{" "}
                    {move.separated && <Badge tone="warn">beyond noise</Badge>}{" "}
                    {move.re_run_failed && <Badge tone="bad">new run failed, old one counts</Badge>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
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
