import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { campaigns, refresh } from "../../api/queries";
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
import { Moves } from "./Moves";
import styles from "./Organise.module.css";

const METRICS = ["neurips-2023", "lethe-1"] as const;

export interface PhasePath {
  slug: string;
  phase: string;
}

/** Rescoring a phase: prepare it, look at what moves, publish it at once, undo it. */
export function Campaigns({ path, phase }: { path: PhasePath; phase: Phase }) {
  const query = useInfiniteQuery(campaigns(path));
  return (
    <Await query={query} what="campaigns">
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        const open = items.find((one) => one.state === "preparing" || one.state === "ready");
        const newest = items.find((one) => one.state === "published");
        return (
          <>
            {open ? <Open campaign={open} path={path} /> : <Start path={path} phase={phase} />}
            <ul className={styles.list}>
              {items
                .filter((one) => one !== open)
                .map((one) => (
                  <li key={one.id}>
                    <Past campaign={one} />
                    {one === newest && !open && <Undo path={path} />}
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

function Start({ path, phase }: { path: PhasePath; phase: Phase }) {
  const [metric, setMetric] = useState<(typeof METRICS)[number]>(
    phase.metric === "lethe-1" ? "lethe-1" : "neurips-2023",
  );
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
        The phase ranks by {phase.metric}. Nothing moves before you publish. From new runs, a team&rsquo;s
        other old entries leave the race, so that no old draw takes the place of a new one.
      </p>
      <Row>
        <Choice
          label="Metric"
          value={metric}
          onChange={(event) => setMetric(event.target.value === "lethe-1" ? "lethe-1" : "neurips-2023")}
          options={METRICS.map((one) => ({ value: one, label: one }))}
        />
        <Choice
          label="From"
          value={kind}
          onChange={(event) => setKind(event.target.value)}
          options={[
            { value: "rescore", label: "the measurements there are" },
            { value: "re-run", label: "new runs of all that stands" },
          ]}
        />
        <Button type="submit" busy={act.isPending}>
          Prepare
        </Button>
      </Row>
      <Notice error={act.error} />
    </FormCard>
  );
}

function Open({ campaign, path }: { campaign: Campaign; path: PhasePath }) {
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
            {campaign.done} of {campaign.total} evaluations are scored.
          </p>
          <Progress done={campaign.done} of={campaign.total} label="Evaluations scored" />
        </>
      ) : (
        <Moves path={at} />
      )}
      <Row>
        {campaign.state === "ready" && (
          <Confirm
            act="Publish"
            look="main"
            title="Publish this board?"
            busy={publish.isPending}
            onConfirm={() => publish.mutate()}
          >
            Every team moves at once. You can undo it, and both are on record.
          </Confirm>
        )}
        <Confirm
          act="Give up"
          title="Give up this campaign?"
          busy={cancel.isPending}
          onConfirm={() => cancel.mutate()}
        >
          Its runs end, and the board stays as it is.
        </Confirm>
      </Row>
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
      <Confirm act="Undo" title="Undo this campaign?" busy={act.isPending} onConfirm={() => act.mutate()}>
        Every team goes back to where it stood. This is on record, too.
      </Confirm>
      <Notice error={act.error} />
    </>
  );
}

function Title({ of }: { of: Campaign }) {
  return (
    <>
      {of.re_run ? "New runs" : "Rescoring"} by {of.metric} <Badge>{of.state}</Badge>
    </>
  );
}

/** An act on campaigns, and then a fresh look at all that it may have changed. */
function useAct(act: () => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: act, onSettled: () => refresh(client, "rescoring") });
}
