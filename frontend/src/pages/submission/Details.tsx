import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { details } from "../../api/queries/submission";
import { Await } from "../../ui/Await";
import { Section } from "../../ui/Page";
import { Loading } from "../../ui/states";

const Charts = lazy(() => import("./Charts"));

/** What the score is made of, where its data are not hidden. */
export function Details({ id, metric }: { id: string; metric: string }) {
  const query = useQuery(details(id, metric));
  return (
    <Section title="Score details">
      <Await query={query} what="the histograms">
        {({ histograms, run_s, peak_memory_bytes }) =>
          histograms || run_s.length > 0 ? (
            <Suspense fallback={<Loading what="the charts" />}>
              <Charts histograms={histograms} runS={run_s} peakMemoryBytes={peak_memory_bytes} />
            </Suspense>
          ) : (
            <p>This score has no charts because it was computed before Lethe stored histograms.</p>
          )
        }
      </Await>
    </Section>
  );
}
