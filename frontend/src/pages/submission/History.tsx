import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { history, standing } from "../../api/queries/submission";
import type { Submission } from "../../api/types";
import { Await } from "../../ui/Await";
import { Section } from "../../ui/Page";
import { Loading } from "../../ui/states";
import { luckSentence, scoredOf } from "../../words/history";

const HistoryChart = lazy(() => import("./HistoryChart"));

/** How the team's submissions to the phase scored, one after another. Only the team itself has them. */
export function History({ of }: { of: Submission }) {
  const isOurs = of.rights.annotates;
  const query = useQuery({ ...history({ slug: of.competition, phase: of.phase }), enabled: isOurs });
  const own = query.data?.items.filter((item) => item.team === of.team) ?? [];
  const onBoard = own.find((item) => item.on_board);
  const { data: best } = useQuery({ ...standing(onBoard?.id ?? ""), enabled: onBoard !== undefined });
  if (!isOurs) return null;
  return (
    <Await query={query} what="your other submissions">
      {() => {
        const tries = scoredOf(own, of.id);
        if (tries.length < 2) return null;
        return (
          <Section title={`Your submissions to ${of.phase}`}>
            <Suspense fallback={<Loading what="the chart" />}>
              <HistoryChart of={tries}>{best ? luckSentence(best.place) : null}</HistoryChart>
            </Suspense>
          </Section>
        );
      }}
    </Await>
  );
}
