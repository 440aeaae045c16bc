import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { competition } from "../../api/queries/competition";
import type { NewPhase } from "../../api/types";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { newDraft, settingsOf } from "../../words/settings";
import { zone } from "../../words/time";
import { useCompetition } from "../competition/context";
import { Within } from "../competition/Within";
import { SettingsForm } from "./SettingsForm";

/** A new phase, with all of its settings. */
export function AddPhase() {
  const { slug, phases } = useCompetition();
  return (
    <Within least="organiser">
      {() => (
        <Section title={phases.length === 0 ? "Add the first phase" : "Add a phase"}>
          <Form slug={slug} />
        </Section>
      )}
    </Within>
  );
}

function Form({ slug }: { slug: string }) {
  const [draft, setDraft] = useState(newDraft);
  const navigate = useNavigate();
  const client = useQueryClient();
  const add = useMutation({
    mutationFn: (body: NewPhase) =>
      answer(api.POST("/api/competitions/{slug}/phases", { params: { path: { slug } }, body })),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: competition(slug).queryKey });
      await navigate({ to: "/competitions/$slug/organise", params: { slug }, search: { phase: made.slug } });
    },
  });
  return (
    <FormCard onSubmit={() => add.mutate(settingsOf(draft))}>
      <p>
        Times are in your time zone ({zone()}). While nobody relies on the phase you can change everything but
        its short name. Once it is open, a change that takes something from participants is announced to them.
      </p>
      <SettingsForm draft={draft} onChange={setDraft} />
      <Notice error={add.error} />
      <Row>
        <Button type="submit" look="main" busy={add.isPending}>
          Add phase
        </Button>
      </Row>
    </FormCard>
  );
}
