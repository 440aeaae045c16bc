import { expect, it } from "vitest";
import type { EventKind, Submission, SubmissionState } from "../api/types";
import type { LiveEvent } from "./live";
import { EVENT_KINDS, hasOnlyWritten, liveOf, reduce, secondsLeft } from "./live";

const START = Date.parse("2026-06-01T12:00:00Z");
const QUEUED = liveOf({
  state: "queued",
  ended: false,
  cancellable: true,
  seeds: 8,
  seeds_done: 0,
  checkpoints_written: 0,
  started_at: null,
} as Submission);

const ENDS: readonly string[] = ["scored", "checked", "failed", "cancelled"];

/** An event as the server sends it: one that leads to a state says so. */
function event(sequence: number, kind: EventKind, seconds = 0, seeds_done?: number): LiveEvent {
  const told = { sequence, kind, at: new Date(START + seconds * 1000).toISOString(), seeds_done };
  if (["progress", "provisional", "retried", "discarded"].includes(kind)) return told;
  const cancellable = kind === "queued" || kind === "running";
  return { ...told, state: kind as SubmissionState, ended: ENDS.includes(kind), cancellable };
}

const STORY = [
  event(1, "queued"),
  event(2, "running"),
  event(3, "progress", 10, 2),
  event(4, "progress", 20, 4),
  event(5, "measured", 40),
  event(6, "scored", 41),
];

it("follows a submission from the queue to its score", () => {
  const states = STORY.map((_, place) => STORY.slice(0, place + 1).reduce(reduce, QUEUED).state);

  expect(states).toEqual(["queued", "running", "running", "running", "measured", "scored"]);
});

it("ends alike, wherever a stream that is opened anew begins its story again", () => {
  const once = STORY.reduce(reduce, QUEUED);

  for (let broken = 0; broken <= STORY.length; broken += 1) {
    expect([...STORY.slice(0, broken), ...STORY].reduce(reduce, QUEUED)).toEqual(once);
  }
});

it("keeps what it has for an event that is already known", () => {
  const live = STORY.slice(0, 4).reduce(reduce, QUEUED);

  expect(reduce(live, event(3, "progress", 10, 2))).toBe(live);
});

it("counts what was put back, and runs on", () => {
  const live = [...STORY.slice(0, 4), event(5, "retried", 25)].reduce(reduce, QUEUED);

  expect([live.state, live.done, live.retries]).toEqual(["running", 4, 1]);
});

it("estimates the rest from the rate since the start", () => {
  const live = STORY.slice(0, 4).reduce(reduce, QUEUED);

  expect(secondsLeft(live, START + 20_000)).toBe(20);
  expect(secondsLeft(live, START + 40_000)).toBe(40);
});

it("keeps the provisional scores, each once, and runs on", () => {
  const told = { ...event(4, "provisional", 15), models: 2, final_score: 0.1, ci_low: 0.05, ci_high: 0.2 };
  const story = [...STORY.slice(0, 3), told];

  const live = [...story, ...story].reduce(reduce, QUEUED);

  expect(live.provisional).toEqual([{ models: 2, value: 0.1, low: 0.05, high: 0.2 }]);
  expect([live.state, live.done]).toEqual(["running", 2]);
});

it("estimates nothing from the first seed alone", () => {
  const live = [...STORY.slice(0, 2), event(3, "progress", 10, 1)].reduce(reduce, QUEUED);

  expect(secondsLeft(live, START + 20_000)).toBeNull();
  expect(secondsLeft({ ...live, seeds: 512, done: 5 }, START + 20_000)).toBeNull();
  expect(secondsLeft({ ...live, seeds: 512, done: 6 }, START + 20_000)).not.toBeNull();
});

it("estimates nothing before the first seed and after the last", () => {
  expect(secondsLeft(QUEUED, START)).toBeNull();
  expect(secondsLeft(STORY.slice(0, 2).reduce(reduce, QUEUED), START)).toBeNull();
  expect(secondsLeft(STORY.reduce(reduce, QUEUED), START)).toBeNull();
});

function written(sequence: number, seconds: number, checkpoints: number, done = 0): LiveEvent {
  return { ...event(sequence, "progress", seconds, done), checkpoints_written: checkpoints };
}

const NOTEBOOK = [
  event(1, "queued"),
  event(2, "running"),
  written(3, 100, 4),
  written(4, 200, 8),
  written(5, 202, 8, 2),
];

it("tells a notebook that writes checkpoints from one that is measured, each at its own rate", () => {
  const writing = NOTEBOOK.slice(0, 3).reduce(reduce, QUEUED);
  const measuring = NOTEBOOK.reduce(reduce, QUEUED);

  expect([hasOnlyWritten(writing), writing.written, writing.done]).toEqual([true, 4, 0]);
  expect(secondsLeft(writing, START + 100_000)).toBe(100);
  expect([hasOnlyWritten(measuring), measuring.written, measuring.done]).toEqual([false, 8, 2]);
  expect(secondsLeft(measuring, START + 202_000)).toBe(6);
});

it("estimates nothing for a notebook that writes more checkpoints than are measured", () => {
  const live = [...NOTEBOOK.slice(0, 3), written(4, 200, 9)].reduce(reduce, QUEUED);

  expect(secondsLeft(live, START + 200_000)).toBeNull();
});

it("counts from the start again when a notebook is put back", () => {
  const live = [...NOTEBOOK, event(6, "retried", 210), written(7, 300, 2)].reduce(reduce, QUEUED);

  expect([hasOnlyWritten(live), live.written, live.done]).toEqual([true, 2, 0]);
});

it("begins a notebook anew when what it measured is discarded", () => {
  const live = [...NOTEBOOK, event(6, "retried", 210), event(7, "discarded", 220)].reduce(reduce, QUEUED);

  expect([live.state, live.done, live.written]).toEqual(["running", 0, 0]);
});

it.each(EVENT_KINDS)("takes the server's word for it whether all has ended: %s", (kind) => {
  const live = reduce(reduce(QUEUED, event(2, "running")), event(3, kind));

  expect(live.ended).toBe(ENDS.includes(kind));
});

it("can be cancelled for as long as something runs", () => {
  const lives = STORY.map((_, place) => STORY.slice(0, place + 1).reduce(reduce, QUEUED));

  expect(lives.map((live) => live.cancellable)).toEqual([true, true, true, true, false, false]);
});
