import type { Score } from "../../api/types";
import { Facts } from "../../ui/Facts";
import { Section } from "../../ui/Page";
import { AxisLabels, ScoreBar } from "../../ui/ScoreAxis";
import { SuiteLegend, suiteFacts } from "../../ui/Suite";
import { useCatalogue } from "../../ui/useCatalogue";
import { axisOf } from "../../words/axis";
import { flagText, suiteTitle } from "../../words/catalogue";
import { costText } from "../../words/cost";
import { leftOut, noiseShares } from "../../words/noise";
import { estimate, interval, plain, score } from "../../words/numbers";
import styles from "./Scores.module.css";

/** The score that ranks, then what other metrics say, then the suites' secondary columns. */
export function Scores({ of }: { of: readonly Score[] }) {
  const [first] = of;
  const catalogue = useCatalogue();
  if (!first) return null;
  return (
    <>
      {of.map((one) => (
        <Section
          key={one.metric}
          title={one === first ? `Score by ${one.metric}` : `Second opinion: ${one.metric}`}
        >
          <OneScore of={one} />
        </Section>
      ))}
      {Object.entries(first.suites).map(([suite, columns]) => (
        <details key={suite} className={styles.suite}>
          <summary>Suite: {suiteTitle(catalogue, suite)}</summary>
          <Facts of={suiteFacts(catalogue, suite, columns)} />
          <SuiteLegend suite={suite} columns={Object.keys(columns)} />
        </details>
      ))}
    </>
  );
}

function OneScore({ of }: { of: Score }) {
  const axis = axisOf("linear", [of.final_score], [of.ci_high]);
  const catalogue = useCatalogue();
  return (
    <>
      <div className={styles.headline}>
        <p>
          <strong>{score(of.final_score, of.ci_low, of.ci_high)}</strong> {interval(of.ci_low, of.ci_high)}
        </p>
        <div>
          <ScoreBar axis={axis} low={of.ci_low} value={of.final_score} high={of.ci_high} />
          <AxisLabels axis={axis} />
        </div>
      </div>
      <Facts
        of={[
          [
            "Forgetting quality",
            estimate(of.forgetting_quality, of.forgetting_quality_low, of.forgetting_quality_high),
          ],
          ["Utility", estimate(of.utility, of.utility_low, of.utility_high)],
          ...(of.generalisation_low !== null && of.generalisation_high !== null
            ? [
                [
                  "95% interval if all is drawn anew",
                  interval(of.generalisation_low, of.generalisation_high),
                ] as const,
              ]
            : []),
          ...(noiseShares(of) ? [["Noise comes from", noiseShares(of)] as const] : []),
          ...(of.ceiling === null ? [] : [["Ceiling of F", score(of.ceiling)] as const]),
          ["Models", `${of.seeds} (${of.effective_models} distinct)`],
          ["Time per run", costText(of)],
          ...(of.certificate
            ? [
                ["Claimed ε", plain(of.certificate.epsilon)] as const,
                ["Audited ε, at least", plain(of.certificate.audited_epsilon)] as const,
              ]
            : []),
        ]}
      />
      {leftOut(of) && <p>{leftOut(of)}</p>}
      {of.flags.length > 0 && <p>{of.flags.map((flag) => flagText(catalogue, flag)).join(" ")}</p>}
    </>
  );
}
