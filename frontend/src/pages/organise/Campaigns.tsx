import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { answer, api } from "../../api/client";
import { campaigns } from "../../api/queries/board";
import { refresh } from "../../api/queries/keys";
import type { Campaign, Phase } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Choice } from "../../ui/Field";
import { More } from "../../ui/More";
import { Progress } from "../../ui/Progress";
import { Notice } from "../../ui/states";
import { Moment } from "../../ui/Time";
import { useCatalogue } from "../../ui/useCatalogue";
import { metricOptions } from "../../words/catalogue";
import { Moves } from "./Moves";
import styles from "./Organise.module.css";

export interface PhasePath {
  slug: string;
  phase: string;
}

/** Rescoring a phase: prepare it, look at what moves, publish it at once, undo it. */
export function Campaigns({ path, phase, organises }: { path: PhasePath; phase: Phase; organises: boolean }) {
  const query = useInfiniteQuery(campaigns(path));
  return (
    <Await query={query} what="rescorings">
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        const open = items.find((one) => underWay(one));
        const newest = items.find((one) => one.state === "published");
        return (
          <>
            <Follow state={open?.state} />
            {open && <Open campaign={open} path={path} organises={organises} />}
            {!open && organises && <Start path={path} phase={phase} />}
            {items.length === 0 && !organises && <p>Nothing was rescored yet.</p>}
            <ul className={styles.list}>
              {items
                .filter((one) => one !== open)
                .map((one) => (
                  <li key={one.id}>
                    <Past campaign={one} />
                    {one === newest && !open && organises && <Undo path={path} />}
                  </li>
                ))}
            </ul>
            <More of={query} />
          </>
        );
      }}
    </Await>
  );
}

/** Looks at everything anew once the scorer has published or undone a rescoring. */
function Follow({ state }: { state: Campaign["state"] | undefined }) {
  const client = useQueryClient();
  const before = useRef(state);
  useEffect(() => {
    const moved = before.current === "publishing" || before.current === "undoing";
    if (moved && state !== before.current) refresh(client, "rescoring");
    before.current = state;
  }, [client, state]);
  return null;
}

function underWay({ state }: Campaign): boolean {
  return ["preparing", "ready", "publishing", "undoing"].includes(state);
}

function Start({ path, phase }: { path: PhasePath; phase: Phase }) {
  const [metric, setMetric] = useState(phase.metric);
  const catalogue = useCatalogue();
  const [kind, setKind] = useState("rescore");
  const act = useAct(() =>
    answer(
      api.POST("/api/competitions/{slug}/phases/{phase}/campaigns", {
        params: { path },
        body: { metric, re_run: kind === "re-run" },
      }),
    ),
  );
  return (
    <FormCard onSubmit={() => act.mutate()}>
      <p>
        The phase ranks by {phase.metric}. The leaderboard does not change until you publish. If you re-run
        entries, only the re-run scores and later submissions count; a team&rsquo;s older scores no longer
        compete.
      </p>
      <Row>
        <Choice
          label="Metric"
          value={metric}
          onChange={(event) => setMetric(event.target.value)}
          options={metricOptions(catalogue)}
        />
        <Choice
          label="Method"
          value={kind}
          onChange={(event) => setKind(event.target.value)}
          options={[
            { value: "rescore", label: "Rescore existing results" },
            { value: "re-run", label: "Re-run every entry on the leaderboard" },
          ]}
        />
        <Button type="submit" busy={act.isPending}>
          Prepare rescoring
        </Button>
      </Row>
      <Notice error={act.error} />
    </FormCard>
  );
}

function Open({ campaign, path, organises }: { campaign: Campaign; path: PhasePath; organises: boolean }) {
  const at = { ...path, campaign_id: campaign.id };
  const PATH = "/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}" as const;
  const publish = useAct(() => answer(api.POST(`${PATH}/publish`, { params: { path: at } })));
  const cancel = useAct(() => answer(api.POST(`${PATH}/cancel`, { params: { path: at } })));
  return (
    <div className={styles.open}>
      <p>
        <Title of={campaign} />
      </p>
      {campaign.state === "preparing" ? (
        <>
          <p role="status">
            {campaign.total === 0
              ? "Evaluations are being counted."
              : `${campaign.done} of ${campaign.total} evaluations are scored.`}
          </p>
          <Progress done={campaign.done} of={campaign.total} label="Evaluations scored" />
        </>
      ) : (
        <>
          {campaign.state === "publishing" && (
            <p role="status">
              The leaderboard changes within seconds, once all submissions that were measured are scored.
            </p>
          )}
          {campaign.state === "undoing" && <p role="status">The leaderboard goes back within seconds.</p>}
          <Moves path={at} />
        </>
      )}
      {organises && campaign.state !== "undoing" && (
        <Row>
          {campaign.state === "ready" && (
            <Confirm
              act="Publish"
              look="main"
              title="Publish this rescoring?"
              busy={publish.isPending}
              onConfirm={() => publish.mutate()}
            >
              All entries change at once. You can undo this later. The history shows both acts.
            </Confirm>
          )}
          <Confirm
            act="Discard"
            title="Discard this rescoring?"
            busy={cancel.isPending}
            onConfirm={() => cancel.mutate()}
          >
            Its runs stop, and the leaderboard does not change.
          </Confirm>
        </Row>
      )}
      <Notice error={publish.error ?? cancel.error} />
    </div>
  );
}

function Past({ campaign }: { campaign: Campaign }) {
  return (
    <p>
      <Title of={campaign} />{" "}
      <Moment at={campaign.undone_at ?? campaign.published_at ?? campaign.created_at} />
    </p>
  );
}

function Undo({ path }: { path: PhasePath }) {
  const act = useAct(() =>
    answer(api.POST("/api/competitions/{slug}/phases/{phase}/undo", { params: { path } })),
  );
  return (
    <>
      <Confirm act="Undo" title="Undo this rescoring?" busy={act.isPending} onConfirm={() => act.mutate()}>
        The leaderboard ranks by the earlier scores again. The history shows this act.
      </Confirm>
      <Notice error={act.error} />
    </>
  );
}

function Title({ of }: { of: Campaign }) {
  return (
    <>
      {of.re_run ? "Re-run" : "Rescoring"} by {of.metric}{" "}
      <Badge>{of.state === "cancelled" ? "discarded" : of.state}</Badge>
    </>
  );
}

/** An act on campaigns, and then a fresh look at all that it may have changed. */
function useAct(act: () => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => refresh(client, "rescoring") });
}
