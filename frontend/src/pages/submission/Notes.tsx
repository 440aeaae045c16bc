import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { refresh } from "../../api/queries/keys";
import { submission } from "../../api/queries/submission";
import type { Submission } from "../../api/types";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Area, Field } from "../../ui/Field";
import { Prose, Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { tagsOf } from "../../words/tags";
import { Tag } from "../submissions/columns";

/** What the team noted about its submission; the team itself can change it. */
export function Notes({ of }: { of: Submission }) {
  const [editing, setEditing] = useState(false);
  if (!of.rights.annotates && !of.note && of.tags.length === 0) return null;
  return (
    <Section title="Note">
      {editing ? <Editor of={of} onDone={() => setEditing(false)} /> : <Shown of={of} />}
      {of.rights.annotates && !editing && (
        <Row>
          <Button onClick={() => setEditing(true)}>{of.note ? "Edit the note" : "Write a note"}</Button>
        </Row>
      )}
    </Section>
  );
}

function Shown({ of }: { of: Submission }) {
  return (
    <>
      {of.note && <Prose text={of.note} />}
      {of.tags.length > 0 && (
        <Row>
          {of.tags.map((tag) => (
            <Badge key={tag}>{of.rights.annotates ? <Tag name={tag} /> : tag}</Badge>
          ))}
        </Row>
      )}
    </>
  );
}

function Editor({ of, onDone }: { of: Submission; onDone: () => void }) {
  const client = useQueryClient();
  const [note, setNote] = useState(of.note);
  const [tags, setTags] = useState(of.tags.join(", "));
  const save = useMutation({
    mutationFn: () =>
      answer(
        api.PUT("/api/submissions/{submission_id}/note", {
          params: { path: { submission_id: of.id } },
          body: { note, tags: tagsOf(tags) },
        }),
      ),
    onSuccess: (shown) => {
      client.setQueryData(submission(of.id).queryKey, shown);
      onDone();
      return refresh(client, "noting");
    },
  });
  return (
    <FormCard onSubmit={() => save.mutate()}>
      <NoteFields note={note} tags={tags} onNote={setNote} onTags={setTags} />
      <Notice error={save.error} />
      <Row>
        <Button type="submit" look="main" busy={save.isPending}>
          Save the note
        </Button>
        <Button onClick={onDone}>Go back</Button>
      </Row>
    </FormCard>
  );
}

interface FieldsProps {
  note: string;
  tags: string;
  onNote: (note: string) => void;
  onTags: (tags: string) => void;
}

export function NoteFields({ note, tags, onNote, onTags }: FieldsProps) {
  return (
    <>
      <Area
        label="Note"
        hint="Only your team and those who run or review the competition see it."
        maxLength={2000}
        rows={3}
        value={note}
        onChange={(event) => onNote(event.target.value)}
      />
      <Field
        label="Tags"
        hint="Up to 10, separated by commas."
        value={tags}
        onChange={(event) => onTags(event.target.value)}
      />
    </>
  );
}
