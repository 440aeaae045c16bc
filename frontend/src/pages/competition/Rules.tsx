import { useQuery } from "@tanstack/react-query";
import { competitionPages } from "../../api/queries/competition";
import { benchmarks } from "../../api/queries/installation";
import type { Phase } from "../../api/types";
import { Facts } from "../../ui/Facts";
import { Markdown } from "../../ui/Markdown";
import { Section } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { score } from "../../words/numbers";
import { rulesOf } from "../../words/rules";
import { useCompetition, usePhase } from "./context";
import { Environment } from "./Environment";
import { PhaseChoice } from "./PhaseChoice";
import styles from "./Rules.module.css";

export function Rules() {
  const { slug } = useCompetition();
  const phase = usePhase();
  const { data } = useQuery(competitionPages(slug));
  const written = data?.items.find((page) => page.slug === "rules");
  if (!phase && !written) return <Empty title="No rules yet">The rules appear with the first phase.</Empty>;
  return (
    <>
      {written && (
        <Section title={written.title}>
          <Markdown text={written.body} slug={slug} />
        </Section>
      )}
      {phase && <OfPhase phase={phase} headed={written !== undefined} />}
    </>
  );
}

/** What the settings of a phase demand. */
function OfPhase({ phase, headed }: { phase: Phase; headed: boolean }) {
  const settings = (
    <>
      <PhaseChoice part="rules" />
      <ul className={styles.rules}>
        {rulesOf(phase).map((rule) => (
          <li key={rule}>{rule}</li>
        ))}
      </ul>
    </>
  );
  return (
    <>
      {headed ? <Section title="What the platform enforces">{settings}</Section> : settings}
      <Benchmark digest={phase.benchmark.digest} />
      <Environment name={phase.environment} />
    </>
  );
}

function Benchmark({ digest }: { digest: string }) {
  const { data } = useQuery(benchmarks);
  const found = data?.items.find((one) => one.digest === digest);
  if (!found) return null;
  return (
    <Section title={`Benchmark: ${found.title}`}>
      <Facts
        of={[
          ["Dataset", `${found.dataset} (${found.licence})`],
          ["Problem", `${found.problem}: retraining without the forget set is the reference`],
          ["Forget set", `${found.counts.forget.toLocaleString("en")} examples: ${found.scenario}`],
          ["Retain set", `${found.counts.retain.toLocaleString("en")} examples`],
          ["Architecture", `${found.architecture}, ${found.classes} classes`],
          [
            "Original",
            found.originals === 1
              ? "1 model, where every run starts"
              : `${found.originals} models, over which runs are spread`,
          ],
          ["Oracle", `${found.oracle_seeds} models retrained without the forget set`],
          ["Ceiling of F", score(found.fitness.ceiling)],
          ...(found.accepted_unfit
            ? [
                ["Judged unfit", (found.fitness.problems ?? []).join(" ")] as const,
                ["Used because", found.accepted_unfit] as const,
              ]
            : []),
          ["Digest", <code key="digest">{found.digest}</code>],
        ]}
      />
    </Section>
  );
}
