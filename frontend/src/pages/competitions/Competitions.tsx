import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { competitions, me } from "../../api/queries";
import type { CompetitionDetail } from "../../api/types";
import { Await } from "../../ui/Await";
import { More } from "../../ui/More";
import { useNow } from "../../ui/now";
import { Page, Section } from "../../ui/Page";
import { Empty, Loading } from "../../ui/states";
import { Countdown } from "../../ui/Time";
import { firstLine } from "../../words/markdown";
import { currentPhase } from "../../words/time";
import styles from "./Competitions.module.css";

const NewCompetition = lazy(async () => ({ default: (await import("./NewCompetition")).NewCompetition }));

export function Competitions() {
  const query = useInfiniteQuery(competitions);
  const { data: who } = useQuery(me);
  const mayMake = who?.account.role === "organiser" || who?.account.role === "operator";
  return (
    <Page
      title="Competitions"
      lead="Make a trained model forget some of its training examples, as if it had never seen them."
    >
      <Await query={query} what="competitions">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0) {
            return <Empty title="No competitions yet">An organiser can create the first one.</Empty>;
          }
          return (
            <ul className={styles.list}>
              {items.map((one) => (
                <li key={one.slug}>
                  <Summary of={one} />
                </li>
              ))}
            </ul>
          );
        }}
      </Await>
      <More of={query} />
      {mayMake && (
        <Section title="New competition">
          <p>
            Fill in this form, or <Link to="/new-competition">begin with a file</Link>, which says everything
            at once.
          </p>
          <Suspense fallback={<Loading what="the form" />}>
            <NewCompetition />
          </Suspense>
        </Section>
      )}
    </Page>
  );
}

function Summary({ of }: { of: CompetitionDetail }) {
  const phase = currentPhase(of.phases, useNow(60_000));
  return (
    <article className={styles.summary}>
      <h2>
        <Link to="/competitions/$slug" params={{ slug: of.slug }}>
          {of.title}
        </Link>
      </h2>
      <p className={styles.words}>{firstLine(of.description)}</p>
      <p className={styles.facts}>
        <span>by {of.owner}</span>
        {phase && (
          <span>
            phase {phase.slug} <Countdown of={phase} />
          </span>
        )}
      </p>
    </article>
  );
}
