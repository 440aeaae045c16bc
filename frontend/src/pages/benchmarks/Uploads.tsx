import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { architecture, benchmarkUploads } from "../../api/queries/installation";
import { refresh } from "../../api/queries/keys";
import type { BenchmarkUpload } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge, type Tone } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Card, Row } from "../../ui/Card";
import { Code } from "../../ui/Code";
import { Confirm } from "../../ui/Confirm";
import { Facts } from "../../ui/Facts";
import { Field } from "../../ui/Field";
import { More } from "../../ui/More";
import { Progress } from "../../ui/Progress";
import { Empty, Notice } from "../../ui/states";
import { Moment } from "../../ui/Time";
import { bytes, count } from "../../words/numbers";
import { isWorkedOn, uploadInWords } from "../../words/uploads";

const TONES: Record<BenchmarkUpload["state"], Tone> = {
  uploading: "calm",
  verifying: "river",
  waiting: "warn",
  publishing: "river",
  published: "good",
  refused: "bad",
};
const NAMES: Record<BenchmarkUpload["state"], string> = {
  uploading: "uploading",
  verifying: "verifying",
  waiting: "waits for consent",
  publishing: "publishing",
  published: "published",
  refused: "refused",
};

/** What has been uploaded, newest first, with what can be done about each. */
export function Uploads() {
  const query = useInfiniteQuery(benchmarkUploads);
  return (
    <>
      <Await query={query} what="the uploads">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0) return <Empty title="No uploads yet">Nothing was uploaded so far.</Empty>;
          return items.map((one) => <One key={one.id} of={one} />);
        }}
      </Await>
      <More of={query} />
    </>
  );
}

function One({ of: upload }: { of: BenchmarkUpload }) {
  const { found, state } = upload;
  return (
    <Card>
      <h3>
        <bdi>{found?.title ?? upload.filename}</bdi> <Badge tone={TONES[state]}>{NAMES[state]}</Badge>
      </h3>
      <p>{uploadInWords(upload)}</p>
      {isWorkedOn(upload) && (
        <Progress done={upload.checked_bytes} of={upload.size_bytes} label="How much is checked" />
      )}
      <Facts
        of={[
          ["File", <bdi key="file">{`${upload.filename}, ${bytes(upload.size_bytes)}`}</bdi>],
          ["Uploaded by", <bdi key="by">{upload.uploaded_by}</bdi>],
          ["Begun", <Moment key="at" at={upload.created_at} />],
          ...(upload.decided_by ? [["Decided by", <bdi key="who">{upload.decided_by}</bdi>] as const] : []),
          ...(found ? facts(found) : []),
        ]}
      />
      {found?.problems.map((problem) => (
        <p key={problem}>
          <Badge tone="bad">unfit</Badge> {problem}
        </p>
      ))}
      {found?.name_taken && state === "waiting" && (
        <p>
          A published benchmark has the name {found.name}. New phases that name it will get this one; phases
          that exist keep theirs.
        </p>
      )}
      {state === "waiting" && <Decide of={upload} />}
      {(state === "uploading" || state === "verifying" || (state === "waiting" && upload.is_own)) && (
        <GiveUp of={upload} />
      )}
    </Card>
  );
}

function facts(found: NonNullable<BenchmarkUpload["found"]>) {
  const { counts } = found;
  return [
    ["Name", <code key="name">{found.name}</code>],
    ["Data", `${found.dataset} (${found.licence})`],
    ["Examples", `${counts.retain} to retain, ${counts.forget} to forget, ${counts.test} to test`],
    ["Models", `${found.oracle_seeds} in the oracle, ${count(found.originals, "original")}`],
    ["Digest", <code key="digest">{found.digest.slice(0, 16)}</code>],
    ...(found.accepted_unfit ? [["Accepted because", found.accepted_unfit] as const] : []),
  ] as const;
}

/** Consent or refusal, by whoever may publish it. Its uploader sees the code, too. */
function Decide({ of: upload }: { of: BenchmarkUpload }) {
  const [isCodeShown, setCodeShown] = useState(false);
  const [unfit, setUnfit] = useState("");
  const [reason, setReason] = useState("");
  const client = useQueryClient();
  const params = { path: { upload_id: upload.id } };
  const onSettled = () => refresh(client, "benchmarking");
  const consent = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/benchmark-uploads/{upload_id}/consent", {
          params,
          body: { accept_unfit: unfit.trim() || null },
        }),
      ),
    onSettled,
  });
  const refuse = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/benchmark-uploads/{upload_id}/refuse", { params, body: { reason } })),
    onSettled,
  });
  const needsReason = !!upload.found && upload.found.problems.length > 0 && !upload.found.accepted_unfit;
  return (
    <>
      <p>
        The benchmark brings code, which workers run in their sandbox beside its hidden data.{" "}
        {upload.found?.architecture_known
          ? "A published benchmark has the very same code."
          : "No published benchmark has this code: read it first."}
      </p>
      <Row>
        <Button onClick={() => setCodeShown(!isCodeShown)}>{isCodeShown ? "Hide" : "Read"} the code</Button>
      </Row>
      {isCodeShown && <Architecture id={upload.id} />}
      {upload.may_decide && (
        <>
          {needsReason && (
            <Field
              label="Why it is published although it is unfit"
              hint="Everybody sees this beside its scores."
              maxLength={500}
              value={unfit}
              onChange={(event) => setUnfit(event.target.value)}
            />
          )}
          <Field
            label="Why it is refused"
            hint="Needed to refuse it. The person who uploaded it sees this: say what to do."
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
          <Notice error={consent.error ?? refuse.error} />
          <Row>
            <Confirm
              act="Publish"
              look="main"
              title={`Publish ${upload.found?.name}?`}
              busy={consent.isPending}
              disabled={needsReason && unfit.trim() === ""}
              onConfirm={() => consent.mutate()}
            >
              Phases can use it then, and it cannot be taken back. Your consent is on record.
            </Confirm>
            <Confirm
              act="Refuse"
              title={`Refuse ${upload.found?.name}?`}
              busy={refuse.isPending}
              disabled={reason.trim() === ""}
              onConfirm={() => refuse.mutate()}
            >
              What was uploaded is deleted. Your refusal is on record.
            </Confirm>
          </Row>
        </>
      )}
    </>
  );
}

function Architecture({ id }: { id: string }) {
  return (
    <Await query={useQuery(architecture(id))} what="the code">
      {({ text }) => <Code text={text} wide />}
    </Await>
  );
}

function GiveUp({ of: upload }: { of: BenchmarkUpload }) {
  const client = useQueryClient();
  const end = useMutation({
    mutationFn: () =>
      answer(
        api.DELETE("/api/benchmark-uploads/{upload_id}", { params: { path: { upload_id: upload.id } } }),
      ),
    onSettled: () => refresh(client, "benchmarking"),
  });
  return (
    <>
      <Notice error={end.error} />
      <Row>
        <Confirm
          act="Give it up"
          title={`Give up ${upload.filename}?`}
          busy={end.isPending}
          onConfirm={() => end.mutate()}
        >
          What has arrived is deleted.
        </Confirm>
      </Row>
    </>
  );
}
