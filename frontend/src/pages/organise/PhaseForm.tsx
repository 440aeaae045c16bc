import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, Problem } from "../../api/client";
import { competition } from "../../api/queries/competition";
import type { Phase } from "../../api/types";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Field, MomentField, Tick } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { fromLocalInput, toLocalInput, zone } from "../../words/time";

/** What may change while a phase runs: when it opens and closes, and its quota. */
export function PhaseForm({ phase }: { phase: Phase }) {
  const [opens, setOpens] = useState(() => toLocalInput(phase.opens_at));
  const [closes, setCloses] = useState(() => toLocalInput(phase.closes_at));
  const [quota, setQuota] = useState(String(phase.quota_per_day));
  const [confirmed, setConfirmed] = useState(false);
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: () =>
      answer(
        api.PATCH("/api/competitions/{slug}/phases/{phase}", {
          params: { path: { slug: phase.competition, phase: phase.slug } },
          body: {
            opens_at: opens === toLocalInput(phase.opens_at) ? undefined : fromLocalInput(opens),
            closes_at: closes === toLocalInput(phase.closes_at) ? undefined : fromLocalInput(closes),
            quota_per_day: Number(quota),
            confirm: confirmed,
          },
        }),
      ),
    onSuccess: () => {
      setConfirmed(false);
      return client.invalidateQueries({ queryKey: competition(phase.competition).queryKey });
    },
  });
  const asks = save.error instanceof Problem && save.error.code === "confirmation_needed";
  return (
    <FormCard onSubmit={() => save.mutate()}>
      <p>Times are in your time zone ({zone()}).</p>
      <Row>
        <MomentField
          label="Opens at"
          required
          value={opens}
          onChange={(event) => setOpens(event.target.value)}
        />
        <MomentField
          label="Closes at"
          required
          value={closes}
          onChange={(event) => setCloses(event.target.value)}
        />
        <Field
          label="Submissions per team per 24 hours"
          type="number"
          min={0}
          max={1000}
          required
          value={quota}
          onChange={(event) => setQuota(event.target.value)}
        />
        <Button type="submit" look="main" busy={save.isPending}>
          Save changes
        </Button>
      </Row>
      <Notice error={save.error} />
      {(asks || confirmed) && (
        <Tick
          label="Change it nevertheless, and announce that to participants"
          checked={confirmed}
          onChange={(event) => setConfirmed(event.target.checked)}
        />
      )}
      {save.isSuccess && <p role="status">Saved.</p>}
    </FormCard>
  );
}
