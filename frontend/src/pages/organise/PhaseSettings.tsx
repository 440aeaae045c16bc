import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, Problem } from "../../api/client";
import { phaseSettings } from "../../api/queries/competition";
import { refresh } from "../../api/queries/keys";
import type { Phase, PhaseSettingsShown } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Tick } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { draftOf, labelOf, settingsOf } from "../../words/settings";
import { zone } from "../../words/time";
import { mistakesIn } from "../file/mistakes";
import styles from "./Organise.module.css";
import { SettingsForm } from "./SettingsForm";

/** All settings of a phase. The form keeps what somebody typed until it is saved or loaded anew. */
export function PhaseSettings({ phase, organises }: { phase: Phase; organises: boolean }) {
  const query = useQuery(phaseSettings(phase.competition, phase.slug));
  const [version, setVersion] = useState(0);
  const [saved, setSaved] = useState<string>();
  const load = async () => {
    await query.refetch();
    setVersion((number) => number + 1);
  };
  return (
    <>
      <Await query={query} what="the settings">
        {(shown) => (
          <Form
            key={version}
            phase={phase}
            start={shown}
            organises={organises}
            onSaved={async (said) => {
              await load();
              setSaved(said);
            }}
            onStale={async () => {
              await load();
              setSaved(undefined);
            }}
          />
        )}
      </Await>
      {saved && <p role="status">{saved}</p>}
    </>
  );
}

interface FormProps {
  phase: Phase;
  start: PhaseSettingsShown;
  organises: boolean;
  onSaved: (said: string) => Promise<void>;
  onStale: () => Promise<void>;
}

function Form({ phase, start, organises, onSaved, onStale }: FormProps) {
  const [{ settings, token }] = useState(start); // as it was when somebody began to edit
  const [draft, setDraft] = useState(() => draftOf(settings));
  const [confirmed, setConfirmed] = useState(false);
  const client = useQueryClient();
  const path = { slug: phase.competition, phase: phase.slug };
  const save = useMutation({
    mutationFn: () =>
      answer(
        api.PUT("/api/competitions/{slug}/phases/{phase}/settings", {
          params: { path },
          body: {
            settings: { ...settingsOf(draft, settings), opens_at: opensAt(draft, settings) },
            based_on: token,
            confirm: confirmed,
          },
        }),
      ),
    onSuccess: async ({ number }) => {
      await refresh(client, "filing");
      await onSaved(number === null ? "Nothing changed." : `Saved as version ${number} of the file.`);
    },
  });
  const code = save.error instanceof Problem ? save.error.code : "";
  return (
    <FormCard onSubmit={() => save.mutate()}>
      <p>Times are in your time zone ({zone()}).</p>
      <SettingsForm
        draft={draft}
        onChange={setDraft}
        fixed={organises ? ["slug", "entered_by", "further_benchmarks"] : ALL}
      />
      <Refused error={save.error} />
      {(code === "confirmation_needed" || confirmed) && (
        <Tick
          label="Change it nevertheless, and announce that to participants"
          checked={confirmed}
          onChange={(event) => setConfirmed(event.target.checked)}
        />
      )}
      {organises && (
        <Row>
          <Button type="submit" look="main" busy={save.isPending}>
            Save changes
          </Button>
          {code === "competition_changed" && (
            <Button onClick={() => void onStale()}>Discard your changes and load the new settings</Button>
          )}
        </Row>
      )}
    </FormCard>
  );
}

const ALL = Object.keys(draftOf({} as PhaseSettingsShown["settings"])) as (keyof ReturnType<
  typeof draftOf
>)[];

function opensAt(draft: ReturnType<typeof draftOf>, before: PhaseSettingsShown["settings"]): string {
  return settingsOf(draft, before).opens_at ?? before.opens_at;
}

/** Why settings were refused: each mistake by the name that the form has for it, or one sentence. */
export function Refused({ error }: { error: unknown }) {
  const mistakes = error instanceof Problem ? mistakesIn(error) : [];
  if (mistakes.length === 0) return <Notice error={error} />;
  return (
    <ul role="alert" className={styles.mistakes}>
      {mistakes.map(({ path, problem, remedy }) => (
        <li key={`${path}:${problem}`}>
          <strong>{labelOf(path)}:</strong> {problem} {remedy}
        </li>
      ))}
    </ul>
  );
}
