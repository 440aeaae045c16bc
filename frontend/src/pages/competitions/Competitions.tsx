import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { me } from "../../api/queries/account";
import { competitions } from "../../api/queries/competition";
import { Await } from "../../ui/Await";
import { More } from "../../ui/More";
import { Page, Section } from "../../ui/Page";
import { Empty, Loading } from "../../ui/states";
import { List } from "./List";

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
          return <List of={items} />;
        }}
      </Await>
      <More of={query} />
      {mayMake && (
        <Section title="New competition">
          <p>
            Fill in this form, or <Link to="/new-competition">begin with a file</Link>, which says everything
            at once. <Link to="/benchmarks">Benchmarks</Link> lists what its phases can run on, and takes
            uploads.
          </p>
          <Suspense fallback={<Loading what="the form" />}>
            <NewCompetition />
          </Suspense>
        </Section>
      )}
    </Page>
  );
}
