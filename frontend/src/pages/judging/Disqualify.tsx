import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { refresh } from "../../api/queries/keys";
import { FormCard } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Area, Field } from "../../ui/Field";
import { Notice } from "../../ui/states";

interface Props {
  slug: string;
  /** The entry to disqualify; without one, a team whose name is asked for. */
  submission?: { id: string; name: string };
}

/** Takes an entry or a team off the boards, for a reason that the team sees. */
export function Disqualify({ slug, submission }: Props) {
  const [team, setTeam] = useState("");
  const [reason, setReason] = useState("");
  const client = useQueryClient();
  const disqualify = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/competitions/{slug}/disqualifications", {
          params: { path: { slug } },
          body: submission ? { submission_id: submission.id, reason } : { team, reason },
        }),
      ),
    onSuccess: () => {
      setTeam("");
      setReason("");
      return refresh(client, "judging");
    },
  });
  return (
    <FormCard onSubmit={() => undefined}>
      {!submission && (
        <Field label="Team" maxLength={39} value={team} onChange={(event) => setTeam(event.target.value)} />
      )}
      <Area
        label="Reason"
        hint="The team sees it."
        rows={3}
        maxLength={2000}
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
      <Notice error={disqualify.error} />
      <div>
        <Confirm
          act="Disqualify"
          title={submission ? "Disqualify this entry?" : "Disqualify this team?"}
          busy={disqualify.isPending}
          disabled={!reason.trim() || !(submission || team.trim())}
          onConfirm={() => disqualify.mutate()}
        >
          {submission
            ? "It leaves the leaderboard, and so does the same code if the team submits it again."
            : "All its entries leave the leaderboards."}{" "}
          Earlier leaderboards stay as they were. You can take it back.
        </Confirm>
      </div>
    </FormCard>
  );
}
