import type { LiveEvent } from "../words/live";
import { EVENT_KINDS } from "../words/live";
import type { EventKind } from "./types";

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

interface Listener {
  onEvent: (event: LiveEvent) => void;
  onConnection: (connected: boolean) => void;
}

/**
 * Follow a submission's events; return the function that stops.
 *
 * The browser itself resumes a connection that broke, from the last event. Where it gives up, because a proxy answered
 * with an error, a new stream is opened after a while; it tells the whole story again, and the reader skips what it knows.
 * So it is, too, when a tab comes into sight again: hidden ones hold no stream, since a browser grants an origin only six.
 */
export function follow(submissionId: string, { onEvent, onConnection }: Listener): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let retryMs = FIRST_RETRY_MS;

  const open = () => {
    source = new EventSource(`/api/submissions/${submissionId}/events`);
    source.onopen = () => {
      retryMs = FIRST_RETRY_MS;
      onConnection(true);
    };
    source.onerror = () => {
      onConnection(false);
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, retryMs);
      retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
    };
    for (const kind of EVENT_KINDS) {
      source.addEventListener(kind, (message) => onEvent(read(kind, message)));
    }
  };

  const close = () => {
    clearTimeout(timer);
    source?.close();
  };
  const turn = () => {
    close();
    if (!document.hidden) open();
  };

  turn();
  document.addEventListener("visibilitychange", turn);
  return () => {
    document.removeEventListener("visibilitychange", turn);
    close();
  };
}

function read(kind: EventKind, message: MessageEvent<string>): LiveEvent {
  return { ...JSON.parse(message.data), kind, sequence: Number(message.lastEventId) };
}
