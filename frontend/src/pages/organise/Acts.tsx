import { useInfiniteQuery } from "@tanstack/react-query";
import { acts } from "../../api/queries";
import { Await } from "../../ui/Await";
import { More } from "../../ui/More";
import { Moment } from "../../ui/Time";
import { inWords } from "../../words/board";
import styles from "./Organise.module.css";

/** Who rescored which phase, and by what. Rows are added and never changed. */
export function Acts({ slug }: { slug: string }) {
  const query = useInfiniteQuery(acts(slug));
  return (
    <Await query={query} what="the record">
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        if (items.length === 0) return <p>Nothing yet.</p>;
        return (
          <>
            <ol className={styles.list}>
              {items.map((act) => (
                <li key={act.id}>
                  <p>
                    <Moment at={act.created_at} />: {inWords(act.act)} by <bdi>{act.by}</bdi>, phase{" "}
                    {String(act.details.phase)}, {act.details.re_run === true ? "new runs" : "rescoring"} by{" "}
                    {String(act.details.metric)}
                  </p>
                </li>
              ))}
            </ol>
            <More of={query} />
          </>
        );
      }}
    </Await>
  );
}
