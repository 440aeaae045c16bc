import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { answer, api } from "../../api/client";
import type { PhaseKey } from "../../api/queries/board";
import { refresh } from "../../api/queries/keys";
import type { Finalist } from "../../api/types";
import { Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Area, Tick } from "../../ui/Field";
import { Notice } from "../../ui/states";

const PATH = "/api/competitions/{slug}/phases/{phase}/final/winners/{submission_id}" as const;

/** What an organiser decides on a finalist, each with a reason that everybody sees; and running it again. */
export function Decide({ path, of }: { path: PhaseKey; of: Finalist }) {
  return (
    <Row>
      {of.state !== "verified" && (
        <Act path={path} of={of} act="verify" label="Verify" main>
          {of.licence
            ? `Its code is then public under ${of.licence}.`
            : "Its team did not agree to publish its code, so the code stays closed."}
        </Act>
      )}
      {of.state !== "refused" && (
        <Act path={path} of={of} act="refuse" label="Refuse">
          It keeps its place on the leaderboard. To take it off, disqualify it.
        </Act>
      )}
      {of.state !== "in_review" && (
        <Act path={path} of={of} act="review" label="Review again">
          Its code is not public any more.
        </Act>
      )}
      <RunAgain path={path} of={of} />
    </Row>
  );
}

interface ActProps {
  path: PhaseKey;
  of: Finalist;
  act: "verify" | "refuse" | "review";
  label: string;
  main?: boolean;
  children: ReactNode;
}

function Act({ path, of, act, label, main, children }: ActProps) {
  const [reason, setReason] = useState("");
  const client = useQueryClient();
  const params = { path: { ...path, submission_id: of.submission_id } };
  const decide = useMutation({
    mutationFn: () => answer(api.POST(`${PATH}/${act}`, { params, body: { reason } })),
    onSettled: () => refresh(client, "final"),
  });
  return (
    <>
      <Notice error={decide.error} />
      <Confirm
        act={label}
        look={main ? "main" : undefined}
        title={`${label}: ${of.name} of ${of.team}?`}
        busy={decide.isPending}
        onConfirm={() => decide.mutate()}
      >
        <p>{children}</p>
        <Area
          label="Reason"
          hint="Everybody sees it."
          rows={3}
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </Confirm>
    </>
  );
}

function RunAgain({ path, of }: { path: PhaseKey; of: Finalist }) {
  const [same, setSame] = useState(false);
  const client = useQueryClient();
  const params = { path: { ...path, submission_id: of.submission_id } };
  const run = useMutation({
    mutationFn: () => answer(api.POST(`${PATH}/rerun`, { params, body: { same_seeds: same } })),
    onSettled: () => refresh(client, "final"),
  });
  return (
    <>
      <Notice error={run.error} />
      <Confirm
        act="Run again"
        title={`Run ${of.name} of ${of.team} again?`}
        busy={run.isPending}
        onConfirm={() => run.mutate()}
      >
        <p>All its runs are repeated, on other workers if there are any. No leaderboard moves.</p>
        <Tick
          label="Use the same seeds"
          hint="Each model is then compared. Without this, new seeds are drawn."
          checked={same}
          onChange={(event) => setSame(event.target.checked)}
        />
      </Confirm>
    </>
  );
}
