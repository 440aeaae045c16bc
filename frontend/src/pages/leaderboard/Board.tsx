import { Link } from "@tanstack/react-router";
import type { Catalogue, Entry } from "../../api/types";
import { Badge } from "../../ui/Badge";
import { AxisLabels, ScoreBar } from "../../ui/ScoreAxis";
import { Scroll } from "../../ui/Scroll";
import { useCatalogue } from "../../ui/useCatalogue";
import type { Axis } from "../../words/axis";
import type { Bracket } from "../../words/board";
import { brackets, UNRANKED } from "../../words/board";
import { flagText } from "../../words/catalogue";
import { interval, score } from "../../words/numbers";
import styles from "./Board.module.css";
import type { Column } from "./columns";
import { columnsOf } from "./columns";

interface Props {
  entries: readonly Entry[];
  /** Rows of the reader that stand further down than what is loaded; they are shown above it. */
  pinned: readonly Entry[];
  /** Of the reader's own entries, the ids of their submissions. */
  own: ReadonlySet<string>;
  columns: string;
  /** Which secondary columns the phase chose. */
  ofPhase: readonly string[];
  axis: Axis;
  /** Whether the reader may look at every submission. */
  seesAll: boolean;
}

export function Board({ entries, pinned, own, columns: chosen, ofPhase, axis, seesAll }: Props) {
  const catalogue = useCatalogue();
  const columns = columnsOf(chosen, [...pinned, ...entries], catalogue, ofPhase);
  const ties = brackets(entries);
  const shared = { axis, seesAll, columns, catalogue };
  return (
    <Scroll label="Leaderboard">
      <table className={styles.board}>
        <thead>
          <tr>
            <th className={styles.rank}>rank</th>
            <th>team</th>
            <th className={styles.score}>
              score
              <AxisLabels axis={axis} />
            </th>
            {columns.map((column) => (
              <th key={`${column.name} ${column.title}`} title={column.title} className={styles.number}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        {pinned.length > 0 && (
          <tbody className={styles.pinned}>
            {pinned.map((entry) => (
              <Line key={entry.submission_id} entry={entry} isOwn bracket="none" {...shared} />
            ))}
          </tbody>
        )}
        <tbody>
          {entries.map((entry, place) => (
            <Line
              key={entry.submission_id}
              entry={entry}
              isOwn={own.has(entry.submission_id)}
              bracket={ties[place] ?? "none"}
              {...shared}
            />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

interface LineProps {
  entry: Entry;
  isOwn: boolean;
  bracket: Bracket;
  axis: Axis;
  seesAll: boolean;
  columns: readonly Column[];
  catalogue: Catalogue;
}

function Line({ entry, isOwn, bracket, axis, seesAll, columns, catalogue }: LineProps) {
  return (
    <tr className={isOwn ? styles.own : undefined}>
      <td className={`${styles.rank} ${styles[bracket]}`}>
        {entry.rank ?? "–"}
        {entry.tie_group !== null && <span className="visually-hidden">, tie group {entry.tie_group}</span>}
        {entry.rank_best !== null && entry.rank_worst !== null && entry.rank_best < entry.rank_worst && (
          <span className={styles.range} title="Rank interval, 95%">
            {entry.rank_best}–{entry.rank_worst}
          </span>
        )}
      </td>
      <th scope="row" className={styles.team}>
        {isOwn || seesAll ? (
          <Link to="/submissions/$id" params={{ id: entry.submission_id }}>
            {entry.entry}
          </Link>
        ) : (
          <bdi>{entry.entry}</bdi>
        )}{" "}
        {isOwn && <Badge tone="river">you</Badge>}
        {entry.unranked_reason && <Badge>{UNRANKED[entry.unranked_reason]}</Badge>}
        {entry.draws > 1 && (
          <span
            className={styles.name}
            title={`The best of ${entry.draws} equally good entries gains ${score(entry.luck)} by chance`}
          >
            best of {entry.draws}
          </span>
        )}
        {entry.submission !== entry.entry && <span className={styles.name}>{entry.submission}</span>}
        {entry.flags.length > 0 && (
          <span className={styles.name}>
            {entry.flags.map((flag) => flagText(catalogue, flag)).join(" ")}
          </span>
        )}
      </th>
      <td className={styles.score}>
        <span className={styles.figures}>
          <strong>{score(entry.final_score, entry.ci_low, entry.ci_high)}</strong>{" "}
          <span>{interval(entry.ci_low, entry.ci_high)}</span>
        </span>
        <ScoreBar
          axis={axis}
          low={entry.ci_low}
          value={entry.final_score}
          high={entry.ci_high}
          muted={entry.rank === null}
        />
      </td>
      {columns.map((column) => (
        <td key={`${column.name} ${column.title}`} className={styles.number} data-label={column.name}>
          {column.show(entry)}
        </td>
      ))}
    </tr>
  );
}
