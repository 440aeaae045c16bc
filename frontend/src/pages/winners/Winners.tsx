import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { PhaseKey } from "../../api/queries/board";
import { finalistCode, finalists } from "../../api/queries/final";
import type { Finalist, FinalistPlace } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge, type Tone } from "../../ui/Badge";
import { Card, Row } from "../../ui/Card";
import { Facts } from "../../ui/Facts";
import { More } from "../../ui/More";
import { Section } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { Moment } from "../../ui/Time";
import { againInWords, placeInWords, publishedFinals } from "../../words/finals";
import { may } from "../../words/roles";
import { useCompetition, useRole } from "../competition/context";
import { File } from "../judging/Code";
import { Decide } from "./Decide";

const TONES: Record<Finalist["state"], Tone> = { in_review: "calm", verified: "good", refused: "bad" };
const STATES: Record<Finalist["state"], string> = {
  in_review: "in review",
  verified: "verified",
  refused: "refused",
};

/** The finalists of each published final: what was decided on them, and the code of those who agreed. */
export function Winners() {
  const { slug, phases } = useCompetition();
  const finals = publishedFinals(phases);
  if (finals.length === 0) return <Empty title="No winners yet">They appear with a published final.</Empty>;
  return finals.map((one) => (
    <Section key={one.slug} title={`Finalists of ${one.title ?? one.slug}`}>
      <Finalists path={{ slug, phase: one.slug }} />
    </Section>
  ));
}

function Finalists({ path }: { path: PhaseKey }) {
  const query = useInfiniteQuery(finalists(path));
  return (
    <>
      <p>
        The organiser verifies finalists, best first. A verifying run repeats all runs of an entry, on another
        machine if there is one. It moves no leaderboard.
      </p>
      <Await query={query} what="the finalists">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0) return <p>No entry is on the leaderboard.</p>;
          return items.map((one) => (
            <Card key={one.submission_id}>
              <OneFinalist path={path} of={one} />
            </Card>
          ));
        }}
      </Await>
      <More of={query} />
    </>
  );
}

function OneFinalist({ path, of }: { path: PhaseKey; of: Finalist }) {
  const role = useRole();
  return (
    <>
      <Row>
        <h3>
          <bdi>{of.team}</bdi>: <bdi>{of.name}</bdi>
        </h3>
        <Badge tone={TONES[of.state]}>{STATES[of.state]}</Badge>
        {of.code_published && <Badge tone="river">code published</Badge>}
      </Row>
      <Facts of={[...of.places.flatMap(placeFacts), ...decisionFacts(of)]} />
      {of.code_published && <PublishedCode path={path} of={of} />}
      {may(role, "reviewer") && (
        <a
          href={`/api/competitions/${path.slug}/phases/${path.phase}/final/winners/${of.submission_id}/archive`}
          download
        >
          Download code, runs, receipts and measurements
        </a>
      )}
      {may(role, "organiser") && <Decide path={path} of={of} />}
    </>
  );
}

function placeFacts(place: FinalistPlace): [string, string][] {
  const again = againInWords(place.again);
  return [
    [place.phase, placeInWords(place)],
    ...(again ? [[`${place.phase}, run again`, again] as [string, string]] : []),
  ];
}

function decisionFacts({ reason, decided_at, licence, rules_version }: Finalist): [string, ReactNode][] {
  const decided: [string, ReactNode][] = decided_at
    ? [
        ["Reason", reason],
        ["Decided", <Moment key="decided" at={decided_at} />],
      ]
    : [];
  const agreed: [string, ReactNode][] = rules_version
    ? [["Agreed with the rules", <code key="rules">{rules_version.slice(0, 12)}</code>]]
    : [];
  return [...decided, ["Licence of the code", licence ?? "the team has not agreed to publish it"], ...agreed];
}

function PublishedCode({ path, of }: { path: PhaseKey; of: Finalist }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        Read the code of <bdi>{of.team}</bdi>
      </summary>
      {open && <Code path={path} id={of.submission_id} />}
    </details>
  );
}

function Code({ path, id }: { path: PhaseKey; id: string }) {
  const query = useQuery(finalistCode(path, id));
  return (
    <Await query={query} what="the code">
      {({ files }) => files.map((file) => <File key={file.path} of={file} />)}
    </Await>
  );
}
