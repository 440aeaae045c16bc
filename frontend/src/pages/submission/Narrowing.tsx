import type { Score } from "../../api/types";
import { AxisLabels, ScoreBar } from "../../ui/ScoreAxis";
import { axisOf } from "../../words/axis";
import type { Provisional } from "../../words/live";
import { interval, score } from "../../words/numbers";
import styles from "./Narrowing.module.css";

interface Props {
  steps: readonly Provisional[];
  final: Score | null;
}

/** How the score looked after so many runs, down to the final one. */
export function Narrowing({ steps, final }: Props) {
  const rows = final
    ? [...steps, { models: final.seeds, value: final.final_score, low: final.ci_low, high: final.ci_high }]
    : steps;
  const axis = axisOf(
    "linear",
    rows.map((row) => row.value),
    rows.map((row) => row.high),
  );
  return (
    <table className={styles.narrowing}>
      <caption>
        Provisional scores. F depends on the number of runs, so these scores do not predict the final score
        and do not count.
      </caption>
      <thead>
        <tr>
          <th scope="col">runs</th>
          <th scope="col">score</th>
          <th scope="col">95% interval</th>
          <td className={styles.bar}>
            <AxisLabels axis={axis} />
          </td>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, place) => (
          <tr key={row.models}>
            <th scope="row">{row.models}</th>
            <td>{score(row.value, row.low, row.high)}</td>
            <td>{interval(row.low, row.high)}</td>
            <td className={styles.bar}>
              <ScoreBar
                axis={axis}
                low={row.low}
                value={row.value}
                high={row.high}
                muted={!final || place < rows.length - 1}
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
