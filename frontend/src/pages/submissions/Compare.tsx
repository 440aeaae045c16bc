import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { comparison } from "../../api/queries/submission";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
import { buttonLook } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Facts } from "../../ui/Facts";
import { Interval } from "../../ui/Interval";
import { Page } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { namesOf } from "../../words/compared";
import { interval, score, share } from "../../words/numbers";
import styles from "./Compare.module.css";

export function Compare() {
  const { one, other } = useSearch({ from: "/submissions/compare" });
  return (
    <Page
      title="Comparison"
      lead="Two submissions compared by the paired test that also forms the tie groups of the leaderboard."
    >
      <Require>
        {() =>
          one && other ? (
            <Found one={one} other={other} />
          ) : (
            <Empty
              title="No submissions to compare"
              actions={
                <Link to="/submissions" className={buttonLook("main")}>
                  Go to my submissions
                </Link>
              }
            >
              Select two scored submissions of one phase, then compare them.
            </Empty>
          )
        }
      </Require>
    </Page>
  );
}

function Found({ one, other }: { one: string; other: string }) {
  const query = useQuery(comparison(one, other));
  return (
    <Await query={query} what="the comparison">
      {(found) => {
        const [first, second] = namesOf(found);
        const reach = Math.max(Math.abs(found.low), Math.abs(found.high)) * 1.1 || 1;
        const better = found.difference >= 0 ? first : second;
        return (
          <Card>
            <div className={styles.pair}>
              <Link to="/submissions/$id" params={{ id: one }}>
                {first}
              </Link>
              <span>against</span>
              <Link to="/submissions/$id" params={{ id: other }}>
                {second}
              </Link>
            </div>
            <p className={styles.verdict}>
              {found.separated
                ? `${better} is better. Noise alone does not explain the difference.`
                : "Noise alone could explain the difference."}
            </p>
            <div>
              <Interval low={found.low} value={found.difference} high={found.high} from={-reach} to={reach} />
              <p className={styles.ends} aria-hidden="true">
                <span>{second} better</span>
                <span>{first} better</span>
              </p>
            </div>
            <Facts
              of={[
                ["Score difference", score(found.difference, found.low, found.high)],
                ["95% interval if both were re-run", interval(found.low, found.high)],
                [`Chance that ${first} scores higher if both were re-run`, share(found.p_better)],
                ...(found.p_better_elsewhere === null
                  ? []
                  : [
                      [
                        "The same chance with a different forget set",
                        share(found.p_better_elsewhere),
                      ] as const,
                    ]),
                ["Metric", found.metric],
              ]}
            />
          </Card>
        );
      }}
    </Await>
  );
}
