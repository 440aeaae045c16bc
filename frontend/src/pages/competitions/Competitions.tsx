import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { competition, competitions } from "../../api/queries";
import type { Competition } from "../../api/types";
import { Await } from "../../ui/Await";
import { useNow } from "../../ui/now";
import { Page } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { Countdown } from "../../ui/Time";
import { currentPhase } from "../../words/time";
import styles from "./Competitions.module.css";

export function Competitions() {
  const query = useQuery(competitions);
  return (
    <Page
      title="Competitions"
      lead="Make a trained network forget some of its examples, as though it had never seen them."
    >
      <Await query={query} what="competitions">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No competitions yet">
              An organiser can make the first one with lethe competition create.
            </Empty>
          ) : (
            <ul className={styles.list}>
              {items.map((one) => (
                <li key={one.slug}>
                  <Summary of={one} />
                </li>
              ))}
            </ul>
          )
        }
      </Await>
    </Page>
  );
}

function Summary({ of }: { of: Competition }) {
  const { data } = useQuery(competition(of.slug));
  const phase = currentPhase(data?.phases ?? [], useNow(60_000));
  return (
    <article className={styles.summary}>
      <h2>
        <Link to="/competitions/$slug" params={{ slug: of.slug }}>
          {of.title}
        </Link>
      </h2>
      <p className={styles.words}>{of.description.split("\n", 1)[0]}</p>
      <p className={styles.facts}>
        <span>by {of.organiser}</span>
        {phase && (
          <span>
            phase {phase.slug} <Countdown of={phase} />
          </span>
        )}
      </p>
    </article>
  );
}
