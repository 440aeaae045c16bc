import { useQuery } from "@tanstack/react-query";
import type { PhaseKey } from "../../api/queries/board";
import { final } from "../../api/queries/final";
import type { Final } from "../../api/types";
import { Await } from "../../ui/Await";
import { Facts } from "../../ui/Facts";
import { Section } from "../../ui/Page";
import { Moment } from "../../ui/Time";
import styles from "./Final.module.css";

/** What everybody may know of a final: who enters it, and what its seeds are held to. */
export function AboutFinal({ path }: { path: PhaseKey }) {
  const query = useQuery(final(path));
  return (
    <Section title="About this final">
      <p>
        The seeds of all runs follow from a secret. Everybody sees its SHA-256, the commitment, from the
        beginning, so nobody can choose the seeds later.
      </p>
      <Await query={query} what="the final">
        {(found) => <FinalFacts of={found} />}
      </Await>
    </Section>
  );
}

/** The settings of a final, how far it is, and its secret once that is known. */
export function FinalFacts({ of }: { of: Final }) {
  return (
    <Facts
      of={[
        ["Benchmarks", of.phases.map((one) => `${one.benchmark} (${one.phase})`).join(", ")],
        ["Entries of a team", String(of.selects)],
        ["Selected from", of.draws_from.join(", ") || "no phase"],
        [of.is_open ? "Selection ends" : "Selection ended", <Moment key="ends" at={of.closes_at} />],
        ["Started", of.started_at ? <Moment key="started" at={of.started_at} /> : "no"],
        ["Published", of.published_at ? <Moment key="published" at={of.published_at} /> : "no, it is sealed"],
        ["Commitment", <Code key="commitment" of={of.commitment} />],
        ["Secret", of.secret ? <Code key="secret" of={of.secret} /> : "revealed when it is published"],
      ]}
    />
  );
}

function Code({ of }: { of: string }) {
  return <code className={styles.code}>{of}</code>;
}
