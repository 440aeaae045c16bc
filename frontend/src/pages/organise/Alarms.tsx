import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { alarms } from "../../api/queries";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { words } from "../../words/board";
import { score } from "../../words/numbers";
import styles from "./Organise.module.css";

const FEW = 5;

/** What honest unlearning hardly gives. An alarm changes no score: it asks the organiser to look. */
export function Alarms({ path }: { path: { slug: string; phase: string } }) {
  const query = useQuery(alarms(path));
  const [all, setAll] = useState(false);
  return (
    <Await query={query} what="alarms">
      {({ items }) =>
        items.length === 0 ? (
          <p>None. An alarm would point to a submission that honest unlearning hardly gives.</p>
        ) : (
          <ul className={styles.list}>
            {items.slice(0, all ? undefined : FEW).map((one) => (
              <li key={one.submission_id}>
                <p>
                  <Link to="/submissions/$id" params={{ id: one.submission_id }}>
                    {one.submission}
                  </Link>{" "}
                  by {one.team}, score {score(one.final_score)}
                </p>
                {one.alarms.map((alarm) => (
                  <p key={alarm.kind}>
                    <Badge tone="warn">{words(alarm.kind)}</Badge> {alarm.message}
                  </p>
                ))}
              </li>
            ))}
            {!all && items.length > FEW && (
              <li>
                <Button onClick={() => setAll(true)}>Show all {items.length}</Button>
              </li>
            )}
          </ul>
        )
      }
    </Await>
  );
}
