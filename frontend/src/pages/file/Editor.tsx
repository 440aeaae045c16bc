import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api, Problem } from "../../api/client";
import { refresh } from "../../api/queries/keys";
import type { AppliedFile } from "../../api/types";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Area, Field, Tick } from "../../ui/Field";
import { Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { Changes } from "./Changes";
import styles from "./File.module.css";
import { mistakesIn } from "./mistakes";

interface Props {
  start: string;
  onApplied: (applied: AppliedFile) => void;
}

/** A file as text or upload; what it would change; and then, if its author says so, the change. */
export function Editor({ start, onApplied }: Props) {
  const [text, setText] = useState(start);
  const [confirmed, setConfirmed] = useState(false);
  const client = useQueryClient();
  const preview = useMutation({
    mutationFn: (source: string) =>
      answer(api.POST("/api/competition-files/preview", { body: { text: source } })),
  });
  const apply = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/competition-files/apply", {
          body: { text, based_on: preview.data?.token ?? null, confirm: confirmed },
        }),
      ),
    onSuccess: async (applied) => {
      preview.reset();
      setConfirmed(false);
      await refresh(client, "filing");
      onApplied(applied);
    },
  });
  const write = (source: string) => {
    setText(source);
    setConfirmed(false);
    preview.reset();
    apply.reset();
  };
  const plan = preview.data;
  return (
    <>
      <FormCard onSubmit={() => preview.mutate(text)}>
        <Field
          label="Upload a file"
          hint="Its text replaces what stands below. Nothing changes yet."
          type="file"
          accept=".yaml,.yml"
          onChange={async (event) => {
            const file = event.target.files?.[0];
            if (file) write(await file.text());
          }}
        />
        <div className={styles.source}>
          <Area
            label="competition.yaml"
            required
            rows={24}
            spellCheck={false}
            value={text}
            onChange={(event) => write(event.target.value)}
          />
        </div>
        <Refused error={preview.error ?? apply.error} />
        <Row>
          <Button type="submit" look="main" busy={preview.isPending}>
            Show what would change
          </Button>
        </Row>
        {apply.isSuccess && !plan && (
          <p role="status">
            {apply.data.number === null ? "Nothing changed." : `Applied as version ${apply.data.number}.`}
          </p>
        )}
      </FormCard>
      {plan && (
        <Section title={plan.exists ? "What would change" : "A new competition"}>
          <Changes of={plan.changes} />
          {plan.needs_confirmation && (
            <Tick
              label="Change also what participants of an open phase rely on"
              hint="The change is announced on the competition's page, and it is on record."
              checked={confirmed}
              onChange={(event) => setConfirmed(event.target.checked)}
            />
          )}
          {plan.changes.length > 0 && (
            <div>
              <Confirm
                act="Apply"
                look="main"
                title="Apply this file?"
                busy={apply.isPending}
                disabled={plan.needs_confirmation && !confirmed}
                onConfirm={() => apply.mutate()}
              >
                All that stands above changes at once.
              </Confirm>
            </div>
          )}
        </Section>
      )}
    </>
  );
}

/** Why a file was refused: every mistake with its line, or one sentence. */
function Refused({ error }: { error: unknown }) {
  const mistakes = error instanceof Problem ? mistakesIn(error) : [];
  if (mistakes.length === 0) return <Notice error={error} />;
  return (
    <div role="alert">
      <p>The file has {mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`}:</p>
      <ul className={styles.list}>
        {mistakes.map(({ line, column, path, problem, remedy }) => (
          <li key={`${line}:${column}:${path}:${problem}`}>
            Line {line}
            {path && (
              <>
                , <code>{path}</code>
              </>
            )}
            : {problem} {remedy}
          </li>
        ))}
      </ul>
    </div>
  );
}
