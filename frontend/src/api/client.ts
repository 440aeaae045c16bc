import createClient from "openapi-fetch";
import type { paths } from "./schema";

/** The API at our own origin. `answer` turns what it returns into data or a thrown `Problem`. */
export const api = createClient<paths>({ baseUrl: "/" });

/** An error of the API (RFC 9457), or the lack of an answer, whose code is `unreachable`. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly details: Record<string, unknown>;

  constructor(status: number, code: string, detail: string, details: Record<string, unknown> = {}) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Wait for a call and return its data. Throws Problem. */
export async function answer<T>(call: Promise<Answer<T>>): Promise<T> {
  let found: Answer<T>;
  try {
    found = await call;
  } catch {
    throw unreachable();
  }
  if (!found.response.ok) throw problemOf(found.response.status, found.error);
  return found.data as T;
}

export function unreachable(): Problem {
  return new Problem(0, "unreachable", "The server did not answer. Check your connection, then try again.");
}

/** Read a problem out of an error's body, which a proxy may have written. */
export function problemOf(status: number, body: unknown): Problem {
  if (typeof body === "object" && body !== null && "code" in body && "detail" in body) {
    return new Problem(status, String(body.code), String(body.detail), body as Record<string, unknown>);
  }
  return new Problem(
    status,
    "no_answer",
    `The server answered with status ${status} and no explanation. Try again; if it happens again, tell the operator.`,
  );
}
