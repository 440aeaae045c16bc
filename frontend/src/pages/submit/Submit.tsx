import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { answer, api, Problem } from "../../api/client";
import { installation } from "../../api/queries/installation";
import { refresh } from "../../api/queries/keys";
import { quota, submission, uploaded } from "../../api/queries/submission";
import type { Checked, Me, Phase, Submission } from "../../api/types";
import { check, upload } from "../../api/upload";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { FormCard } from "../../ui/Card";
import { Choice, Field } from "../../ui/Field";
import { useNow } from "../../ui/now";
import { Progress } from "../../ui/Progress";
import { Empty, Notice } from "../../ui/states";
import { Countdown } from "../../ui/Time";
import { checked, forecastInWords, warned } from "../../words/checks";
import { placeInWords } from "../../words/places";
import { quotaLeft } from "../../words/quota";
import { tagsOf } from "../../words/tags";
import { stage } from "../../words/time";
import { useCompetition, useSubmitPhase } from "../competition/context";
import { PhaseChoice } from "../competition/PhaseChoice";
import { Registered } from "../people/Register";
import { NoteFields } from "../submission/Notes";
import { DropZone } from "./DropZone";
import styles from "./Submit.module.css";

export function Submit() {
  const phase = useSubmitPhase();
  const { again } = useSearch({ from: "/competitions/$slug/submit" });
  if (!phase) return <Empty title="No phase yet">You can submit when the organiser has added a phase.</Empty>;
  return (
    <>
      <PhaseChoice part="submit" of={phase} />
      <WhatItIs phase={phase} />
      <Require>
        {(who) => (
          <Registered slug={phase.competition}>
            {again === undefined ? (
              <SubmitForm key={phase.slug} phase={phase} who={who} />
            ) : (
              <Again key={`${phase.slug} ${again}`} id={again} phase={phase} who={who} />
            )}
          </Registered>
        )}
      </Require>
    </>
  );
}

/** What an earlier submission gives the form. */
interface Earlier {
  of: Submission;
  file: File;
}

/** The form, filled in as an earlier submission was. */
function Again({ id, phase, who }: { id: string; phase: Phase; who: Me }) {
  const query = useQuery(submission(id));
  const filename = query.data?.filename ?? "";
  const file = useQuery({ ...uploaded(id, filename), enabled: query.data !== undefined });
  return (
    <Await query={query} what="the earlier submission">
      {(of) => (
        <Await query={file} what="its file">
          {(found) => <SubmitForm phase={phase} who={who} earlier={{ of, file: found }} />}
        </Await>
      )}
    </Await>
  );
}

function SubmitForm({ phase, who, earlier }: { phase: Phase; who: Me; earlier?: Earlier }) {
  const [file, setFile] = useState<File | null>(earlier?.file ?? null);
  const [name, setName] = useState(earlier?.of.name ?? "");
  const [note, setNote] = useState(earlier?.of.note ?? "");
  const [tags, setTags] = useState(earlier?.of.tags.join(", ") ?? "");
  const [team, setTeam] = useState(
    who.teams.length > 1
      ? (who.teams.find((one) => one.name === earlier?.of.team)?.name ?? who.teams[0]?.name)
      : undefined,
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: another upload has another key
  const key = useMemo(newKey, [file, name, team]);
  const [sent, setSent] = useState<{ done: number; of: number } | null>(null);
  const { data: settings } = useQuery(installation);
  const navigate = useNavigate();
  const client = useQueryClient();
  const now = useNow();
  const leaving = useLeaving();
  const phaseKey = { slug: phase.competition, phase: phase.slug };
  const looked = useMutation({
    mutationFn: ({ chosen, of }: { chosen: File; of: string | undefined }) =>
      check({ ...phaseKey, team: of, file: chosen }),
  });
  const submit = useMutation({
    mutationFn: async ({ chosen, stop }: { chosen: File; stop: AbortSignal }) => {
      const what = { ...phaseKey, team, name, file: chosen, key };
      const made = await upload(what, (done, of) => setSent({ done, of }), stop);
      await writeNote(made.id, note, tagsOf(tags));
      return made;
    },
    onSettled: () => {
      setSent(null);
      void refresh(client, "uploading");
    },
  });
  const send = () => {
    if (!file || !leaving.current) return;
    submit.mutate(
      { chosen: file, stop: leaving.current.signal },
      // Of a reader who has left meanwhile nothing calls this.
      { onSuccess: ({ id }) => void navigate({ to: "/submissions/$id", params: { id } }) },
    );
  };
  const choose = (chosen: File | null) => {
    setFile(chosen);
    submit.reset();
    if (chosen) looked.mutate({ chosen, of: team });
    else looked.reset();
  };
  const found = earlier?.file;
  const look = looked.mutate;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once; another choice of team looks again by itself
  useEffect(() => {
    if (found) look({ chosen: found, of: team });
  }, [found, look]);
  if (phase.entered_by === "selection") {
    return (
      <Empty title={`Phase ${phase.slug} takes no uploads`}>
        Your team enters scored submissions to earlier phases. Open one under{" "}
        <Link to="/submissions">My submissions</Link> and enter it into {phase.slug}. If you enter none, your
        best ranked one is entered.
      </Empty>
    );
  }
  if (stage(phase, now) !== "open") {
    return (
      <Empty title={`Phase ${phase.slug} is not open`}>
        It <Countdown of={phase} />.
      </Empty>
    );
  }
  return (
    <div className={styles.submit}>
      <FormCard onSubmit={send}>
        <div>
          <DropZone
            notebooks={phase.notebooks}
            file={file}
            mostBytes={settings?.max_upload_bytes}
            busy={submit.isPending}
            onFile={choose}
          />
          <p role="status" className={styles.check}>
            {looked.isPending && "Checking the file…"}
            {looked.data && <Found of={looked.data} />}
          </p>
        </div>
        <Field
          label="Name on the leaderboard"
          hint="If you leave this empty, the file's name is used."
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <details open={note !== "" || tags !== ""}>
          <summary>Note and tags</summary>
          <NoteFields note={note} tags={tags} onNote={setNote} onTags={setTags} />
        </details>
        {who.teams.length > 1 && (
          <Choice
            label="Team"
            value={team}
            onChange={({ target: { value } }) => {
              setTeam(value);
              if (file) looked.mutate({ chosen: file, of: value });
            }}
            options={who.teams.map((one) => ({ value: one.name, label: one.name }))}
          />
        )}
        <QuotaLeft phase={phase} team={team} foretold={looked.data !== undefined} />
        <Notice error={submit.error ?? looked.error} />
        {sent && <Progress done={sent.done} of={sent.of} label="Upload" />}
        <Button type="submit" look="main" busy={submit.isPending} disabled={!file || refuses(looked.error)}>
          {submit.isPending ? "Uploading…" : "Submit"}
        </Button>
      </FormCard>
    </div>
  );
}

/** What the chosen phase is for, and the ways to the others. */
function WhatItIs({ phase }: { phase: Phase }) {
  const { phases } = useCompetition();
  const now = useNow();
  const tries = phases.find(
    (one) => one.kind === "check" && one.slug !== phase.slug && stage(one, now) === "open",
  );
  const at = { to: "/competitions/$slug/submit", params: { slug: phase.competition } } as const;
  return (
    <p className={styles.what}>
      {phase.kind === "check" ? (
        <>
          {phase.slug} is for trying things out: it counts for nothing
          {!phase.data_hidden && ", its data are public, and every message of your code is shown"}. Run your
          code here first.{" "}
          {phases
            .filter((one) => one.slug !== phase.slug && one.entered_by !== "selection")
            .map((one) => (
              <Link key={one.slug} {...at} search={{ phase: one.slug }}>
                Submit to {one.slug}{" "}
              </Link>
            ))}
        </>
      ) : (
        tries && (
          <>
            New code?{" "}
            <Link {...at} search={{ phase: tries.slug }}>
              Try it in {tries.slug} first
            </Link>
            : that costs nothing of {phase.slug}'s quota, and shows every message.{" "}
          </>
        )
      )}
      <Link
        to="/competitions/$slug/scoring"
        params={{ slug: phase.competition }}
        search={{ phase: phase.slug }}
      >
        How you are scored
      </Link>
    </p>
  );
}

/** Keep a note about what was just submitted; if that fails, the submission's page still offers it. */
async function writeNote(id: string, note: string, tags: string[]): Promise<void> {
  if (!note.trim() && tags.length === 0) return;
  const params = { path: { submission_id: id } };
  await answer(api.PUT("/api/submissions/{submission_id}/note", { params, body: { note, tags } })).catch(
    () => undefined,
  );
}

function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** What stops the page's upload when its reader leaves. */
function useLeaving() {
  const leaving = useRef<AbortController>(null);
  useEffect(() => {
    const here = new AbortController();
    leaving.current = here;
    return () => here.abort();
  }, []);
  return leaving;
}

/** Whether a check found that the file cannot be submitted, rather than failed itself. */
function refuses(error: unknown): boolean {
  if (!(error instanceof Problem)) return false;
  return error.status === 413 || error.status === 422 || error.code === "unreadable";
}

function Found({ of }: { of: Checked }) {
  return (
    <>
      {checked(of)} {warned(of) && <strong className={styles.warned}>{warned(of)}</strong>}
      {of.submitted_as && (
        <>
          {" "}
          You have{" "}
          <Link to="/submissions/$id" params={{ id: of.submitted_as }}>
            already submitted this exact file
          </Link>
          . Submitting it again will reuse those results, unless that evaluation failed or was cancelled.
        </>
      )}
      {!of.submitted_as &&
        forecastInWords(of).map((sentence) => (
          <span key={sentence} className={styles.forecast}>
            {sentence}
          </span>
        ))}
    </>
  );
}

interface QuotaProps {
  phase: Phase;
  team: string | undefined;
  /** Whether the place in the queue stands in the forecast of a file. */
  foretold: boolean;
}

function QuotaLeft({ phase, team, foretold }: QuotaProps) {
  const { data } = useQuery(quota({ slug: phase.competition, phase: phase.slug }, team));
  const now = useNow();
  if (!data) return null;
  return (
    <p className={data.left > 0 ? styles.quota : styles.used}>
      {quotaLeft(data, now)} {!foretold && data.left > 0 && data.place.ahead > 0 && placeInWords(data.place)}
    </p>
  );
}
