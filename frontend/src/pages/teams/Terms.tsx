import { useState } from "react";
import { answer, api, Problem } from "../../api/client";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Field, MomentField, Tick } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { toLocalInput } from "../../words/time";
import { useCompetition } from "../competition/context";
import { useTeaming } from "./useTeaming";

/** How large teams may be and until when they may merge, for organisers. */
export function Terms() {
  const { slug, teams } = useCompetition();
  const [size, setSize] = useState(String(teams.size));
  const [until, setUntil] = useState(teams.merge_until ? toLocalInput(teams.merge_until) : "");
  const [confirm, setConfirm] = useState(false);
  const save = useTeaming(() =>
    answer(
      api.PATCH("/api/competitions/{slug}/teams", {
        params: { path: { slug } },
        body: { size: Number(size), merge_until: until ? new Date(until).toISOString() : null, confirm },
      }),
    ),
  );
  const asks = save.error instanceof Problem && save.error.code === "confirmation_needed";
  return (
    <FormCard onSubmit={() => save.mutate(undefined)}>
      <p>No team loses anybody. Without a date, teams do not merge.</p>
      <Row>
        <Field
          label="Most people of one team"
          type="number"
          min={1}
          max={100}
          required
          value={size}
          onChange={(event) => setSize(event.target.value)}
        />
        <MomentField
          label="Teams may merge until"
          value={until}
          onChange={(event) => setUntil(event.target.value)}
        />
        <Button type="submit" look="main" busy={save.isPending}>
          Save
        </Button>
      </Row>
      {(asks || confirm) && (
        <Tick
          label="Change it although participants rely on it, and announce it to them"
          checked={confirm}
          onChange={(event) => setConfirm(event.target.checked)}
        />
      )}
      <Notice error={save.error} />
      {save.isSuccess && <p role="status">Saved.</p>}
    </FormCard>
  );
}
