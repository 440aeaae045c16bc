import type { Submission } from "../../api/types";
import { Progress } from "../../ui/Progress";
import { Table } from "../../ui/Table";
import { OWN_NAME, PHASE, STATE, SUBMITTED } from "./columns";
import styles from "./Submissions.module.css";

/** What is queued or runs, and how far it is. */
export function UnderWay({ items }: { items: readonly Submission[] }) {
  return (
    <Table
      label="Submissions in progress"
      rows={items}
      keyOf={(item) => item.id}
      columns={[
        OWN_NAME,
        STATE,
        {
          name: "runs done",
          className: styles.done,
          show: (item) => (
            <>
              {item.seeds_done} of {item.seeds}
              {item.seeds_done === 0 &&
                item.checkpoints_written > 0 &&
                `, ${item.checkpoints_written} checkpoints written`}
              <Progress done={item.seeds_done} of={item.seeds} label={`Runs done of ${item.name}`} />
            </>
          ),
        },
        PHASE,
        SUBMITTED,
      ]}
    />
  );
}
