import { answer, api, Problem, problemOf, unreachable } from "./client";
import type { Checked, Submission } from "./types";

export interface Upload {
  slug: string;
  phase: string;
  /** Only those with several teams of their own name one. */
  team: string | undefined;
  name: string;
  file: File;
  /** Under one key the same upload counts once, however often it is sent. */
  key: string;
}

/** Ask what a file would be as a submission; nothing is kept of it. Throws the Problem that submitting it would meet. */
export async function check({
  slug,
  phase,
  team,
  file,
}: Pick<Upload, "slug" | "phase" | "team" | "file">): Promise<Checked> {
  const asked = answer(
    api.POST("/api/competitions/{slug}/phases/{phase}/submissions/check", {
      params: { path: { slug, phase }, query: { filename: file.name, ...(team && { team }) } },
      body: file as unknown as string, // the type of a file's bytes in the document
      bodySerializer: (body) => body,
      headers: { "Content-Type": "application/octet-stream" },
    }),
  );
  try {
    return await asked;
  } catch (error) {
    throw error instanceof Problem && error.code === "unreachable" ? await lost(file) : error;
  }
}

/** Send a file as the raw body. By XMLHttpRequest, since fetch does not say how much has been sent. Throws Problem. */
export function upload(
  what: Upload,
  onProgress: (sent: number, total: number) => void,
  stop: AbortSignal,
): Promise<Submission> {
  const query = new URLSearchParams({ filename: what.file.name });
  if (what.team) query.set("team", what.team);
  if (what.name) query.set("name", what.name);
  const path = `/api/competitions/${encodeURIComponent(what.slug)}/phases/${encodeURIComponent(what.phase)}/submissions`;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${path}?${query}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("Idempotency-Key", what.key);
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.loaded, event.total);
    request.onerror = () => void lost(what.file).then(reject);
    stop.addEventListener("abort", () => request.abort());
    request.onabort = () => reject(new Problem(0, "aborted", "The upload was stopped."));
    request.onload = () => {
      if (request.status === 201) resolve(request.response as Submission);
      else reject(problemOf(request.status, request.response));
    };
    request.send(what.file);
  });
}

/** Why a file did not arrive: a browser lets nobody read one that changed after it was chosen; else it is the connection. */
async function lost(file: File): Promise<Problem> {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    return new Problem(0, "unreadable", "The file was changed or moved after you chose it. Choose it again.");
  }
  return unreachable();
}
