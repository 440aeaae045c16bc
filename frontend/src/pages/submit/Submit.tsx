import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Problem } from "../../api/client";
import { installation, quota, refresh } from "../../api/queries";
import type { Checked, Me, Phase } from "../../api/types";
import { check, upload } from "../../api/upload";
import { Require } from "../../app/Require";
import { Button } from "../../ui/Button";
import { FormCard } from "../../ui/Card";
import { Choice, Field } from "../../ui/Field";
import { useNow } from "../../ui/now";
import { Progress } from "../../ui/Progress";
import { Empty, Notice } from "../../ui/states";
import { Countdown } from "../../ui/Time";
import { checked, warned } from "../../words/checks";
import { placeInWords } from "../../words/places";
import { quotaLeft } from "../../words/quota";
import { stage } from "../../words/time";
import { usePhase } from "../competition/context";
import { PhaseChoice } from "../competition/PhaseChoice";
import { Registered } from "../people/Register";
import { DropZone } from "./DropZone";
import styles from "./Submit.module.css";

export function Submit() {
  const phase = usePhase();
  if (!phase) return <Empty title="No phase yet">You can submit when the organiser has added a phase.</Empty>;
  return (
    <>
      <PhaseChoice part="submit" />
      <Require>
        {(who) => (
          <Registered slug={phase.competition}>
            <SubmitForm key={phase.slug} phase={phase} who={who} />
          </Registered>
        )}
      </Require>
    </>
  );
}

function SubmitForm({ phase, who }: { phase: Phase; who: Me }) {
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [team, setTeam] = useState(who.teams.length > 1 ? who.teams[0]?.name : undefined);
  const [sent, setSent] = useState<{ done: number; of: number } | null>(null);
  const { data: settings } = useQuery(installation);
  const navigate = useNavigate();
  const client = useQueryClient();
  const now = useNow();
  const leaving = useLeaving();
  const phaseKey = { slug: phase.competition, phase: phase.slug };
  const looked = useMutation({ mutationFn: (chosen: File) => check({ ...phaseKey, file: chosen }) });
  const submit = useMutation({
    mutationFn: ({ chosen, stop }: { chosen: File; stop: AbortSignal }) =>
      upload({ ...phaseKey, team, name, file: chosen }, (done, of) => setSent({ done, of }), stop),
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
    if (chosen) looked.mutate(chosen);
    else looked.reset();
  };
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
        {who.teams.length > 1 && (
          <Choice
            label="Team"
            value={team}
            onChange={(event) => setTeam(event.target.value)}
            options={who.teams.map((one) => ({ value: one.name, label: one.name }))}
          />
        )}
        <QuotaLeft phase={phase} team={team} />
        <Notice error={submit.error ?? looked.error} />
        {sent && <Progress done={sent.done} of={sent.of} label="Upload" />}
        <Button type="submit" look="main" busy={submit.isPending} disabled={!file || refuses(looked.error)}>
          {submit.isPending ? "Uploading…" : "Submit"}
        </Button>
      </FormCard>
    </div>
  );
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
      {checked(of)} {warned(of)}
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
    </>
  );
}

function QuotaLeft({ phase, team }: { phase: Phase; team: string | undefined }) {
  const { data } = useQuery(quota({ slug: phase.competition, phase: phase.slug }, team));
  const now = useNow();
  if (!data) return null;
  return (
    <p className={data.left > 0 ? styles.quota : styles.used}>
      {quotaLeft(data, now)} {data.left > 0 && data.place.ahead > 0 && placeInWords(data.place)}
    </p>
  );
}
