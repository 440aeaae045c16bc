import type { Submission } from "../../api/types";
import { Progress } from "../../ui/Progress";
import { Scroll } from "../../ui/Scroll";
import { StateBadge } from "../../ui/StateBadge";
import { Moment } from "../../ui/Time";
import { Named } from "./Named";
import styles from "./Submissions.module.css";

/** What is queued or runs, and how far it is. */
export function UnderWay({ items }: { items: readonly Submission[] }) {
  return (
    <Scroll label="Submissions under way">
      <table>
        <thead>
          <tr>
            <th>name</th>
            <th>state</th>
            <th>seeds done</th>
            <th>phase</th>
            <th>submitted</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.id}>
              <Named of={item} />
              <td>
                <StateBadge state={item.state} />
              </td>
              <td data-label="seeds done" className={styles.done}>
                {item.seeds_done} of {item.seeds}
                <Progress done={item.seeds_done} of={item.seeds} label={`Seeds done of ${item.name}`} />
              </td>
              <td data-label="phase">
                {item.competition}, {item.phase}
              </td>
              <td data-label="submitted">
                <Moment at={item.submitted_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
