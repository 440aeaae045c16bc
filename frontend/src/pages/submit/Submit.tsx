import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { submissions } from "../../api/queries";
import type { Me, Phase } from "../../api/types";
import { upload } from "../../api/upload";
import { Require } from "../../app/Require";
import { Button } from "../../ui/Button";
import { FormCard } from "../../ui/Card";
import { Choice, Field } from "../../ui/Field";
import { useNow } from "../../ui/now";
import { Progress } from "../../ui/Progress";
import { Empty, Notice } from "../../ui/states";
import { Countdown } from "../../ui/Time";
import { count } from "../../words/numbers";
import { quotaOf } from "../../words/quota";
import { moment, span, stage } from "../../words/time";
import { usePhase } from "../competition/context";
import { PhaseChoice } from "../competition/PhaseChoice";
import { DropZone } from "./DropZone";
import styles from "./Submit.module.css";

export function Submit() {
  const phase = usePhase();
  if (!phase) return <Empty title="Nothing to submit to yet">Submitting begins with the first phase.</Empty>;
  return (
    <>
      <PhaseChoice part="submit" />
      <Require>{(who) => <SubmitForm key={phase.slug} phase={phase} who={who} />}</Require>
    </>
  );
}

function SubmitForm({ phase, who }: { phase: Phase; who: Me }) {
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [team, setTeam] = useState(who.teams[0]?.name ?? "");
  const [sent, setSent] = useState<{ done: number; of: number } | null>(null);
  const navigate = useNavigate();
  const client = useQueryClient();
  const now = useNow();
  const submit = useMutation({
    mutationFn: (chosen: File) =>
      upload({ slug: phase.competition, phase: phase.slug, team, name, file: chosen }, (done, of) =>
        setSent({ done, of }),
      ),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ["submissions"] });
      await navigate({ to: "/submissions/$id", params: { id: made.id } });
    },
    onSettled: () => setSent(null),
  });
  if (stage(phase, now) !== "open") {
    return (
      <Empty title={`Phase ${phase.slug} is not open`}>
        It <Countdown of={phase} />.
      </Empty>
    );
  }
  return (
    <div className={styles.submit}>
      <FormCard onSubmit={() => file && submit.mutate(file)}>
        <DropZone notebooks={phase.notebooks} file={file} onFile={setFile} />
        <Field
          label="Name on the board"
          hint="Left empty, the file's name."
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
        <Notice error={submit.error} />
        {sent && <Progress done={sent.done} of={sent.of} label="Upload" />}
        <Button type="submit" look="main" busy={submit.isPending} disabled={!file}>
          {submit.isPending ? "Uploading…" : "Submit"}
        </Button>
      </FormCard>
    </div>
  );
}

function QuotaLeft({ phase, team }: { phase: Phase; team: string }) {
  const { data } = useInfiniteQuery(submissions({ competition: phase.competition, phase: phase.slug }));
  const now = useNow();
  if (!data) return null;
  const submitted = data.pages.flatMap((page) => page.items);
  const { left, nextAt } = quotaOf(phase, team, submitted, now);
  return (
    <p className={styles.quota}>
      {count(left, "submission")} of {phase.quota_per_day} left in these 24 hours.
      {nextAt !== null && (
        <>
          {" "}
          The next is possible in {span((nextAt - now) / 1000)}, at {moment(new Date(nextAt).toISOString())}.
        </>
      )}
    </p>
  );
}
