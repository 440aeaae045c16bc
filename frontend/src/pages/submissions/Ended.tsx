import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Submission } from "../../api/types";
import { Button } from "../../ui/Button";
import { Row } from "../../ui/Card";
import { Table } from "../../ui/Table";
import { isolated } from "../../words/isolated";
import { OWN_NAME, PHASE, SCORE, STATE, SUBMITTED } from "./columns";
import styles from "./Submissions.module.css";

/** What has come to its end, for better or worse. Two scored ones of one phase can be compared. */
export function Ended({ items }: { items: readonly Submission[] }) {
  const [chosen, setChosen] = useState<readonly Submission[]>([]);
  const navigate = useNavigate();
  const [one, other] = chosen;
  const isChosen = (item: Submission) => chosen.some((kept) => kept.id === item.id);
  const toggle = (item: Submission) =>
    setChosen((before) =>
      isChosen(item) ? before.filter((kept) => kept.id !== item.id) : [...before, item].slice(-2),
    );
  const mayJoin = (item: Submission) =>
    item.score !== null && (!one || (item.competition === one.competition && item.phase === one.phase));
  const compare = () =>
    one && other && navigate({ to: "/submissions/compare", search: { one: one.id, other: other.id } });
  return (
    <div className={styles.listed}>
      <Row>
        <Button look="main" disabled={!one || !other} onClick={() => void compare()}>
          Compare selected
        </Button>
        <span className={styles.hint} role="status">
          {other
            ? `${isolated(one?.name ?? "")} against ${isolated(other.name)}`
            : one
              ? `Selected ${isolated(one.name)}. Select another submission of phase ${one.phase}.`
              : "Select two scored submissions of one phase."}
        </span>
      </Row>
      <Table
        label="My submissions"
        rows={items}
        keyOf={(item) => item.id}
        columns={[
          {
            name: "compare",
            kind: "acts",
            show: (item) => (
              <input
                type="checkbox"
                className={styles.check}
                aria-label={`Compare ${item.name}`}
                checked={isChosen(item)}
                disabled={!mayJoin(item)}
                onChange={() => toggle(item)}
              />
            ),
          },
          OWN_NAME,
          STATE,
          SCORE,
          PHASE,
          SUBMITTED,
        ]}
      />
    </div>
  );
}
