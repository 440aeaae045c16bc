import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { submissions } from "../../api/queries";
import type { Submission } from "../../api/types";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
import { Button, buttonLook } from "../../ui/Button";
import { Row } from "../../ui/Card";
import { Page } from "../../ui/Page";
import { Scroll } from "../../ui/Scroll";
import { StateBadge } from "../../ui/StateBadge";
import { Empty } from "../../ui/states";
import { Moment } from "../../ui/Time";
import { score } from "../../words/numbers";
import styles from "./Submissions.module.css";

export function Submissions() {
  return (
    <Page
      title="My submissions"
      lead="What your teams submitted, newest first. Choose two of one phase to compare."
    >
      <Require>{() => <Own />}</Require>
    </Page>
  );
}

function Own() {
  const query = useInfiniteQuery(submissions());
  return (
    <Await query={query} what="your submissions">
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        if (items.length === 0) {
          return (
            <Empty
              title="Nothing submitted yet"
              actions={
                <Link to="/" className={buttonLook("main")}>
                  Find a competition
                </Link>
              }
            >
              Every entry starts as one function. The starting kit holds one to change.
            </Empty>
          );
        }
        return (
          <>
            <Listed items={items} />
            {query.hasNextPage && (
              <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                Show more
              </Button>
            )}
          </>
        );
      }}
    </Await>
  );
}

function Listed({ items }: { items: readonly Submission[] }) {
  const [chosen, setChosen] = useState<readonly Submission[]>([]);
  const navigate = useNavigate();
  const [one, other] = chosen;
  const toggle = (item: Submission) =>
    setChosen((before) =>
      before.includes(item) ? before.filter((kept) => kept !== item) : [...before, item].slice(-2),
    );
  const mayJoin = (item: Submission) =>
    item.score !== null && (!one || (item.competition === one.competition && item.phase === one.phase));
  return (
    <div className={styles.listed}>
      <Row>
        <Button
          look="main"
          disabled={!one || !other}
          onClick={() =>
            one &&
            other &&
            void navigate({ to: "/submissions/compare", search: { one: one.id, other: other.id } })
          }
        >
          Compare two
        </Button>
        <span className={styles.hint} role="status">
          {chosen.length} of 2 chosen
        </span>
      </Row>
      <Scroll label="My submissions">
        <table>
          <thead>
            <tr>
              <th>
                <span className="visually-hidden">compare</span>
              </th>
              <th>name</th>
              <th>state</th>
              <th>score</th>
              <th>phase</th>
              <th>submitted</th>
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <tr key={item.id}>
                <td>
                  <input
                    type="checkbox"
                    className={styles.check}
                    aria-label={`Compare ${item.name}`}
                    checked={chosen.includes(item)}
                    disabled={!mayJoin(item)}
                    onChange={() => toggle(item)}
                  />
                </td>
                <th scope="row">
                  <Link to="/submissions/$id" params={{ id: item.id }}>
                    {item.name}
                  </Link>
                  <span className={styles.file}>{item.filename}</span>
                </th>
                <td>
                  <StateBadge state={item.state} />
                </td>
                <td data-label="score">
                  {item.score ? score(item.score.final_score, item.score.ci_low, item.score.ci_high) : "–"}
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
    </div>
  );
}
