import { useState } from "react";
import { answer, api } from "../../api/client";
import type { RegistrationMode } from "../../api/types";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Choice } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { useCompetition } from "../competition/context";
import { usePeopling } from "./usePeopling";

const MODES = [
  { value: "open", label: "Open: everybody who has an account" },
  { value: "approval", label: "By approval of an organiser" },
  { value: "invitation", label: "By invitation: who has a code" },
] as const satisfies readonly { value: RegistrationMode; label: string }[];

/** How people come to take part. */
export function Mode() {
  const { slug, registration } = useCompetition();
  const [mode, setMode] = useState<RegistrationMode>(registration);
  const save = usePeopling(() =>
    answer(
      api.PATCH("/api/competitions/{slug}/registration", {
        params: { path: { slug } },
        body: { registration: mode },
      }),
    ),
  );
  return (
    <FormCard onSubmit={() => save.mutate(undefined)}>
      <p>Whoever is registered stays so.</p>
      <Row>
        <Choice
          label="Who takes part"
          value={mode}
          onChange={(event) =>
            setMode(MODES.find(({ value }) => value === event.target.value)?.value ?? mode)
          }
          options={MODES}
        />
        <Button type="submit" look="main" busy={save.isPending}>
          Save
        </Button>
      </Row>
      <Notice error={save.error} />
      {save.isSuccess && <p role="status">Saved.</p>}
    </FormCard>
  );
}
