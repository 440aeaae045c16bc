import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { competitionPages } from "../../api/queries/competition";
import type { Phase } from "../../api/types";
import { Badge } from "../../ui/Badge";
import { Markdown } from "../../ui/Markdown";
import { useNow } from "../../ui/now";
import { Section } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { Countdown, Moment } from "../../ui/Time";
import { stage } from "../../words/time";
import { Register } from "../people/Register";
import { ShareCompetition } from "../sharing/Share";
import { useCompetition } from "./context";
import styles from "./Overview.module.css";

const TONE = { upcoming: "calm", open: "good", closed: "calm" } as const;

export function Overview() {
  const { slug, description, contact, phases } = useCompetition();
  const { data } = useQuery(competitionPages(slug));
  const prizes = data?.items.find((page) => page.slug === "prizes");
  const others = data?.items.filter((page) => page.slug !== "prizes" && page.slug !== "rules") ?? [];
  return (
    <>
      {description && <Markdown text={description} slug={slug} />}
      <Register slug={slug} />
      {others.length > 0 && (
        <nav aria-label="Further pages">
          <ul className={styles.pages}>
            {others.map((page) => (
              <li key={page.slug}>
                <Link to="/competitions/$slug/pages/$page" params={{ slug, page: page.slug }}>
                  {page.title}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
      )}
      <Section title="Phases">
        {phases.length === 0 ? (
          <Empty title="No phases yet">The organiser has not added a phase yet.</Empty>
        ) : (
          <ol className={styles.phases}>
            {phases.map((phase) => (
              <PhaseCard key={phase.slug} phase={phase} />
            ))}
          </ol>
        )}
      </Section>
      {prizes && (
        <Section title="Prizes">
          <Markdown text={prizes.body} slug={slug} />
        </Section>
      )}
      {contact && (
        <Section title="Contact">
          <p>{contact}</p>
        </Section>
      )}
      <ShareCompetition slug={slug} />
    </>
  );
}

function PhaseCard({ phase }: { phase: Phase }) {
  const now = stage(phase, useNow(1000));
  const params = { slug: phase.competition };
  return (
    <li className={`${styles.phase} ${now === "open" ? styles.open : ""}`}>
      <header>
        <h3>{phase.title ?? phase.slug}</h3>
        <Badge tone={TONE[now]}>{now}</Badge>
      </header>
      <p className={styles.clock}>
        <Countdown of={phase} />
      </p>
      <p className={styles.window}>
        <Moment at={phase.opens_at} /> to <Moment at={phase.closes_at} />
      </p>
      <p className={styles.links}>
        <Link to="/competitions/$slug/leaderboard" params={params} search={{ phase: phase.slug }}>
          Leaderboard<span className="visually-hidden"> of {phase.slug}</span>
        </Link>
        {now === "open" && (
          <Link to="/competitions/$slug/submit" params={params} search={{ phase: phase.slug }}>
            Submit<span className="visually-hidden"> to {phase.slug}</span>
          </Link>
        )}
      </p>
    </li>
  );
}
