import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { installation } from "../../api/queries/installation";
import { refresh } from "../../api/queries/keys";
import type { BenchmarkUpload } from "../../api/types";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Progress } from "../../ui/Progress";
import { Notice } from "../../ui/states";
import { bytes } from "../../words/numbers";
import { send } from "./sending";

/** Sends a benchmark. While it is on its way, its page must stay open; the same file goes on where it stood. */
export function Upload() {
  const { data: settings } = useQuery(installation);
  const [file, setFile] = useState<File | null>(null);
  const [now, setNow] = useState<{ upload: BenchmarkUpload; pausing: boolean } | null>(null);
  const stop = useRef(new AbortController());
  const client = useQueryClient();
  useEffect(() => () => stop.current.abort(), []);
  const sending = useMutation({
    mutationFn: (one: File) => {
      stop.current = new AbortController();
      return send({
        file: one,
        partBytes: settings?.benchmark_part_bytes ?? 0,
        stop: stop.current.signal,
        tell: (upload, pausing) => setNow({ upload, pausing }),
      });
    },
    onSettled: () => refresh(client, "benchmarking"),
  });
  const most = settings?.max_benchmark_bytes ?? 0;
  const tooLarge = file !== null && file.size > most;
  if (settings && most === 0) return <p>This server takes no uploads of benchmarks. Ask an operator.</p>;
  return (
    <FormCard onSubmit={() => file && sending.mutate(file)}>
      <Field
        label="Exported benchmark"
        hint={`The file that lethe benchmark export wrote${most ? `, of at most ${bytes(most)}` : ""}. After an interruption, choose the same file: it goes on where it stood.`}
        type="file"
        accept=".tar"
        required
        disabled={sending.isPending}
        onChange={(event) => {
          setFile(event.target.files?.[0] ?? null);
          setNow(null);
          sending.reset();
        }}
      />
      {tooLarge && (
        <Notice error={new Error(`The file has ${bytes(file.size)}. Ask an operator to import it.`)} />
      )}
      <Notice error={sending.error} />
      {now && (
        <>
          <Progress done={now.upload.received_bytes} of={now.upload.size_bytes} label="The upload" />
          <p role="status">{told(now.upload, now.pausing, sending.isPending)}</p>
        </>
      )}
      <Row>
        <Button
          type="submit"
          look="main"
          busy={sending.isPending}
          disabled={file === null || tooLarge || !settings}
        >
          Upload the benchmark
        </Button>
        {sending.isPending && <Button onClick={() => stop.current.abort()}>Pause</Button>}
      </Row>
    </FormCard>
  );
}

function told(
  { state, received_bytes, size_bytes }: BenchmarkUpload,
  pausing: boolean,
  busy: boolean,
): string {
  if (state !== "uploading") return "All of it has arrived. The server checks it.";
  const arrived = `${bytes(received_bytes)} of ${bytes(size_bytes)} arrived.`;
  if (pausing) return `${arrived} The server does not answer; trying again.`;
  return busy
    ? `${arrived} Keep this page open.`
    : `${arrived} It is paused: upload the file again to go on.`;
}
