/** Sends a file to the server in parts, and goes on after whatever interrupted it. */
import { answer, api, Problem } from "../../api/client";
import type { BenchmarkUpload } from "../../api/types";
import { hex, nextPart } from "../../words/uploads";

const PAUSES_MS = [1000, 2000, 5000, 10_000, 30_000];
const AWAY = [0, 408, 429, 502, 503, 504];

interface Sending {
  file: File;
  partBytes: number;
  stop: AbortSignal;
  tell: (upload: BenchmarkUpload, pausing: boolean) => void;
}

/** Send what the server lacks of a file. Throws Problem, or Error if the file changed or the browser cannot. */
export async function send({ file, partBytes, stop, tell }: Sending): Promise<BenchmarkUpload> {
  if (!crypto.subtle) {
    throw new Error(
      "The browser computes checksums only on https pages. Use https, or `lethe benchmark upload`.",
    );
  }
  const head = await digest(file.slice(0, partBytes));
  let upload = await patiently(stop, () =>
    answer(
      api.POST("/api/benchmark-uploads", {
        body: { filename: file.name, size_bytes: file.size, head_sha256: head },
      }),
    ),
  );
  tell(upload, false);
  while (upload.state === "uploading" && !stop.aborted) {
    const [from, to] = nextPart(file.size, upload.received_bytes, partBytes);
    const part = file.slice(from, to);
    const sha256 = await digest(part);
    const now = upload;
    upload = await patiently(
      stop,
      () => put(now, from, sha256, part),
      () => tell(now, true),
    );
    tell(upload, false);
  }
  return upload;
}

async function put(upload: BenchmarkUpload, offset: number, sha256: string, part: Blob) {
  const path = { upload_id: upload.id, offset };
  try {
    return await answer(
      api.PUT("/api/benchmark-uploads/{upload_id}/parts/{offset}", {
        params: { path, query: { sha256 } },
        // the client sends a part as it is
        body: part as unknown as string,
        bodySerializer: (body: unknown) => body as Blob,
        headers: { "Content-Type": "application/octet-stream" },
      }),
    );
  } catch (error) {
    // another window sends it, too
    if (error instanceof Problem && error.code === "wrong_offset") {
      return answer(
        api.GET("/api/benchmark-uploads/{upload_id}", { params: { path: { upload_id: upload.id } } }),
      );
    }
    throw error;
  }
}

async function digest(part: Blob): Promise<string> {
  let data: ArrayBuffer;
  try {
    data = await part.arrayBuffer();
  } catch {
    throw new Error("The file cannot be read any more. Choose it again to go on.");
  }
  return hex(await crypto.subtle.digest("SHA-256", data));
}

/** Ask until there is an answer, ever more rarely, unless the server refuses or one stops. */
async function patiently<T>(stop: AbortSignal, ask: () => Promise<T>, waits?: () => void): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const passes = error instanceof Problem && AWAY.includes(error.status);
      if (!passes || stop.aborted) throw error;
      waits?.();
      const pause = PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)];
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
