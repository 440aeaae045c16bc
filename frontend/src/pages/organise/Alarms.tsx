import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { alarms } from "../../api/queries/board";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { More } from "../../ui/More";
import { useCatalogue } from "../../ui/useCatalogue";
import { alarmTitle } from "../../words/catalogue";
import { score } from "../../words/numbers";
import styles from "./Organise.module.css";

/** Results that honest unlearning rarely produces. An alarm changes no score: it asks the organiser to look. */
export function Alarms({ path }: { path: { slug: string; phase: string } }) {
  const query = useInfiniteQuery(alarms(path));
  const catalogue = useCatalogue();
  return (
    <Await query={query} what="alarms">
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        if (items.length === 0) {
          return <p>No alarms. An alarm marks a result that honest unlearning rarely produces.</p>;
        }
        return (
          <>
            <ul className={styles.list}>
              {items.map((one) => (
                <li key={one.submission_id}>
                  <p>
                    <Link to="/submissions/$id" params={{ id: one.submission_id }}>
                      {one.submission}
                    </Link>{" "}
                    by <bdi>{one.team}</bdi>, score {score(one.final_score)}
                  </p>
                  {one.alarms.map((alarm) => (
                    <p key={alarm.kind}>
                      <Badge tone="warn">{alarmTitle(catalogue, alarm.kind)}</Badge> {alarm.message}
                    </p>
                  ))}
                </li>
              ))}
            </ul>
            <More of={query} />
          </>
        );
      }}
    </Await>
  );
}
