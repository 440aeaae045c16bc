import { useInfiniteQuery } from "@tanstack/react-query";
import { acts } from "../../api/queries";
import type { Act } from "../../api/types";
import { Await } from "../../ui/Await";
import { More } from "../../ui/More";
import { Moment } from "../../ui/Time";
import styles from "./Organise.module.css";

const ACTS: Record<Act, string> = {
  campaign_started: "rescoring started",
  campaign_cancelled: "rescoring discarded",
  campaign_published: "rescoring published",
  campaign_undone: "rescoring undone",
};

/** Who rescored which phase, and by what. Rows are added and never changed. */
export function Acts({ slug }: { slug: string }) {
  const query = useInfiniteQuery(acts(slug));
  return (
    <Await query={query} what="the history">
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        if (items.length === 0) return <p>No rescoring yet.</p>;
        return (
          <>
            <ol className={styles.list}>
              {items.map((act) => (
                <li key={act.id}>
                  <p>
                    <Moment at={act.created_at} />: {ACTS[act.act]} by <bdi>{act.by}</bdi>, phase{" "}
                    {String(act.details.phase)}, metric {String(act.details.metric)}
                    {act.details.re_run === true && ", with new runs"}
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
