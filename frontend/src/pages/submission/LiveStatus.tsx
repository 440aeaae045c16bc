import { useNow } from "../../ui/now";
import { Progress } from "../../ui/Progress";
import { StateBadge } from "../../ui/StateBadge";
import type { Live } from "../../words/live";
import { hasOnlyWritten, secondsLeft } from "../../words/live";
import { count } from "../../words/numbers";
import { span } from "../../words/time";
import styles from "./LiveStatus.module.css";

export function LiveStatus({ live, connected }: { live: Live; connected: boolean }) {
  const { ended } = live;
  return (
    <div className={styles.status}>
      {/* What is said aloud changes with the state alone, not with every seed. */}
      <p role="status" className={styles.state}>
        <StateBadge state={live.state} />
        {live.retries > 0 && !ended && (
          <span className={styles.aside}>
            Restarted {count(live.retries, "time")} after a platform failure. You need to do nothing.
          </span>
        )}
        {!connected && !ended && <span className={styles.lost}>Connection lost. Reconnecting…</span>}
      </p>
      <p className={styles.seeds}>
        <Reached of={live} />
        <span>{ended ? "" : <Rest of={live} />}</span>
      </p>
      {hasOnlyWritten(live) ? (
        <Progress done={Math.min(live.written, live.seeds)} of={live.seeds} label="Checkpoints written" />
      ) : (
        <Progress done={live.done} of={live.seeds} label="Runs done" />
      )}
    </div>
  );
}

/** A module is measured seed by seed; a notebook writes every checkpoint before the first is measured. */
function Reached({ of: live }: { of: Live }) {
  if (hasOnlyWritten(live)) {
    return (
      <>
        <strong>{live.written}</strong> {live.written > live.seeds ? "" : `of ${live.seeds} `}checkpoints
        written
      </>
    );
  }
  return (
    <>
      <strong>{live.done}</strong> of {live.seeds} {live.written > 0 ? "checkpoints measured" : "runs done"}
    </>
  );
}

function Rest({ of: live }: { of: Live }) {
  const left = secondsLeft(live, useNow());
  if (live.state === "queued") return "waiting for a worker";
  if (live.state === "measured") return "computing the score";
  if (left === null) return "no estimate yet";
  if (hasOnlyWritten(live)) return left < 1 ? "running the last cells" : `about ${span(left)} left to write`;
  return left < 1 ? "almost done" : `about ${span(left)} left`;
}
