import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { benchmarks } from "../../api/queries/installation";
import type { Phase } from "../../api/types";
import { Facts } from "../../ui/Facts";
import { Section } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { Term } from "../../ui/Term";
import { useCatalogue } from "../../ui/useCatalogue";
import { score } from "../../words/numbers";
import { ceilingOf } from "../../words/scoring";
import { usePhase } from "./context";
import { PhaseChoice } from "./PhaseChoice";
import styles from "./Rules.module.css";

/** How a submission is scored in a phase, with the numbers of its benchmark. */
export function Scoring() {
  const phase = usePhase();
  if (!phase) return <Empty title="No phase yet">How you are scored appears with the first phase.</Empty>;
  return (
    <>
      <PhaseChoice part="scoring" />
      <OfPhase phase={phase} />
    </>
  );
}

function OfPhase({ phase }: { phase: Phase }) {
  const { data } = useQuery(benchmarks);
  const catalogue = useCatalogue();
  const benchmark = data?.items.find((one) => one.digest === phase.benchmark.digest);
  const metric = catalogue?.metrics.find((one) => one.name === phase.metric);
  const forget = benchmark?.counts.forget.toLocaleString("en");
  return (
    <>
      <Section title="How you are scored">
        <ul className={styles.rules}>
          <li>
            Lethe runs your code {phase.seeds} times, each time from the original model and with another
            secret seed.
          </li>
          <li>
            It compares your {phase.seeds} models with{" "}
            {benchmark ? benchmark.oracle_seeds.toLocaleString("en") : "as many"} models that were retrained
            without the {forget ? `${forget} examples` : "examples"} to forget. These are the{" "}
            <Term of="oracle">oracle</Term>.
          </li>
          <li>
            <strong>Score = forgetting quality × utility.</strong> More is better.
          </li>
          {metric && (
            <li>
              This phase ranks by <strong>{metric.title}</strong> ({metric.name}): {metric.meaning}
            </li>
          )}
        </ul>
      </Section>
      <Section title="Forgetting quality">
        <p>
          <Term of="forgetting quality">Forgetting quality</Term> asks how well an attacker could tell, from
          the outputs for the forgotten examples, whether a model is yours or a retrained one. It is low if
          your models still remember the forget set, and also if they differ from retrained models in any
          other way. If all your models are equal because the code fixes its seeds, it is 0.
        </p>
      </Section>
      <Section title="Utility">
        <p>
          <Term of="utility">Utility</Term> is your models' accuracy divided by that of the retrained models,
          on the retain set and on the test set. 1 means as accurate as retraining.
          {benchmark &&
            ` Retrained models reach ${share(benchmark.fitness.oracle_retain_accuracy)} on the retain set and ${share(benchmark.fitness.oracle_test_accuracy)} on the test set here.`}
        </p>
      </Section>
      <Section title="The ceiling">
        <p>{ceilingOf(phase, metric, benchmark)}</p>
        {benchmark && (
          <Facts
            of={[
              ["Ceiling of F by neurips-2023", score(benchmark.fitness.ceiling)],
              ["Measured with", `${benchmark.oracle_seeds.toLocaleString("en")} runs`],
              ["Runs of a submission here", phase.seeds.toLocaleString("en")],
              ["Examples to forget", forget ?? "–"],
            ]}
          />
        )}
      </Section>
      <Section title="Noise, ranks and ties">
        <ul className={styles.rules}>
          <li>
            Each score has a 95% <Term of="interval">interval</Term>: where it would lie if the same code were
            run again. A difference within it means nothing.
          </li>
          <li>
            Entries that a paired test cannot tell apart share a <Term of="tie group">tie group</Term>. A page
            says "rank 3, could be 2 to 5" if noise allows these ranks.
          </li>
          <li>
            The best of many tries is partly luck. The leaderboard says how many different entries a team
            tried, and how much the best of so many equally good ones gains by chance.
          </li>
          <li>
            Entries that cost more than {Math.round(phase.max_time_ratio * 100)}% of the fastest full
            retraining on the board are shown, but not ranked. A retraining runs a few times between an
            entry's own runs, and both are measured in processor time; on a GPU, by the clock.
          </li>
          <li>Scores by other metrics are second opinions: they stand beside the score and rank nothing.</li>
        </ul>
        <p>
          <Link
            to="/competitions/$slug/leaderboard"
            params={{ slug: phase.competition }}
            search={{ phase: phase.slug }}
          >
            Leaderboard of {phase.slug}
          </Link>
        </p>
      </Section>
    </>
  );
}

function share(accuracy: number): string {
  return `${(100 * accuracy).toFixed(1)}%`;
}
