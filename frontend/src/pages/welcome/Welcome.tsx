import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { competitions } from "../../api/queries/competition";
import type { CompetitionDetail } from "../../api/types";
import { Await } from "../../ui/Await";
import { useNow } from "../../ui/now";
import { Page, Section } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { stage } from "../../words/time";
import { List } from "../competitions/List";
import { Picture } from "./Picture";
import { Steps } from "./Steps";
import styles from "./Welcome.module.css";

/** What unlearning is in a competition here, in words, in one picture and in three steps. */
export function Welcome() {
  const query = useInfiniteQuery(competitions);
  const listed = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page
      title="Make a model forget"
      tab="Make a model forget"
      lead="Lethe holds competitions in machine unlearning: taking examples out of a trained model, as if it had never seen them."
    >
      <div className={styles.story}>
        <Words />
        <Picture />
      </div>
      <Section title="Three steps">
        <Steps example={exampleAmong(listed)} />
      </Section>
      <Section title="Open competitions">
        <Await query={query} what="competitions">
          {() => <Open among={listed} />}
        </Await>
        <p>
          <Link to="/competitions">See all competitions</Link>, past ones too.
        </p>
      </Section>
    </Page>
  );
}

function Words() {
  return (
    <div className={styles.words}>
      <p>
        A model remembers the examples that it learned from. If somebody's photographs were among them and
        have to go, it is not enough to delete the files: the model still behaves as if it knew them. Training
        it again without them is a sure way, but costs as much as the first time.{" "}
        <strong>Machine unlearning</strong> looks for a cheaper one: change the trained model until nobody can
        tell that the examples were ever there.
      </p>
      <p>
        Here you get a trained model, the examples to forget and the examples to keep, and write one function
        that changes the model. Lethe runs your function hundreds of times, so hundreds of models come back.
        It also has hundreds of models that were trained again without the examples.{" "}
        <strong>The closer your models behave to those, the higher your score.</strong>
      </p>
      <p>
        Too much is as bad as too little: a model that is strangely wrong about the examples gives them away,
        too. What it should keep, it has to keep. And every score comes with an interval, which says how far
        chance alone would move it.
      </p>
    </div>
  );
}

function Open({ among }: { among: readonly CompetitionDetail[] }) {
  const now = useNow(60_000);
  const open = among.filter(({ phases }) => phases.some((phase) => stage(phase, now) === "open"));
  if (open.length === 0) return <Empty title="No competition is open now">Look in again later.</Empty>;
  return <List of={open} level={3} />;
}

/** The competition that the steps speak of: the demo, else the newest that has a phase. */
function exampleAmong(listed: readonly CompetitionDetail[]): CompetitionDetail | undefined {
  const ready = listed.filter(({ phases }) => phases.length > 0);
  return ready.find(({ slug }) => slug === "demo") ?? ready[0];
}
