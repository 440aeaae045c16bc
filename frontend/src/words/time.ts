/** Moments and spans as readers see them, in their own time zone. */
import type { Phase } from "../api/types";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365.25 * DAY;

export type Window = Pick<Phase, "opens_at" | "closes_at">;
export type Stage = "upcoming" | "open" | "closed";

let preferred: string | undefined;

/** Show moments in a zone from now on; an empty or unknown one means the browser's. */
export function preferZone(name: string): void {
  try {
    preferred = name
      ? new Intl.DateTimeFormat("en-GB", { timeZone: name }).resolvedOptions().timeZone
      : undefined;
  } catch {
    preferred = undefined;
  }
}

export function moment(iso: string, timeZone = preferred): string {
  return new Intl.DateTimeFormat("en-GB", {
    dateStyle: "medium",
    timeStyle: "short",
    timeZone,
  }).format(new Date(iso));
}

/** The name of the reader's zone, such as "Europe/Berlin". */
export function zone(): string {
  return preferred ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** A span in its two largest units: "3 d 5 h", "12 min 4 s". */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 1 && seconds > 0) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  const units: [number, string][] = [
    [DAY, "d"],
    [HOUR, "h"],
    [MINUTE, "min"],
    [1, "s"],
  ];
  const start = units.findIndex(([size]) => whole >= size);
  if (start < 0) return "0 s";
  let rest = whole;
  const parts: string[] = [];
  for (const [size, unit] of units.slice(start, start + 2)) {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) parts.push(`${amount} ${unit}`);
  }
  return parts.join(" ");
}

/** A short run, to a precision that tells two methods apart: "0.031 s", "12.4 s". */
export function runTime(seconds: number): string {
  return seconds < 100 ? `${seconds.toPrecision(3)} s` : span(seconds);
}

export function stage(window: Window, now: number): Stage {
  if (now < Date.parse(window.opens_at)) return "upcoming";
  return now < Date.parse(window.closes_at) ? "open" : "closed";
}

/** A span on a calendar: hours and minutes stop mattering, then days do. */
function longSpan(seconds: number): string {
  if (seconds < 30 * DAY) return span(seconds);
  return seconds < 2 * YEAR ? `${Math.round(seconds / DAY)} days` : `${Math.floor(seconds / YEAR)} years`;
}

/** What a phase's clock says: "closes in 3 d 5 h". */
export function countdown(window: Window, now: number): string {
  switch (stage(window, now)) {
    case "upcoming":
      return `opens in ${longSpan((Date.parse(window.opens_at) - now) / 1000)}`;
    case "open":
      return `closes in ${longSpan((Date.parse(window.closes_at) - now) / 1000)}`;
    case "closed":
      return `closed ${longSpan((now - Date.parse(window.closes_at)) / 1000)} ago`;
  }
}

/** The phase that a visitor most likely wants: an open one, else the next, else the last. */
export function currentPhase<T extends Window>(phases: readonly T[], now: number): T | undefined {
  const by = (wanted: Stage) => phases.filter((phase) => stage(phase, now) === wanted);
  return by("open").at(-1) ?? by("upcoming")[0] ?? by("closed").at(-1);
}

/** The phase to submit to first: an open one in which one tries things out, else the current one. */
export function firstPhase<T extends Window & { kind: string; entered_by: string }>(
  phases: readonly T[],
  now: number,
): T | undefined {
  const tries = phases.find(
    (phase) => phase.kind === "check" && phase.entered_by !== "selection" && stage(phase, now) === "open",
  );
  return tries ?? currentPhase(phases, now);
}

/** A moment in the form that an `<input type="datetime-local">` takes, in the reader's zone. */
export function toLocalInput(iso: string): string {
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What such an input holds; undefined where that is no moment, such as one in the year 20261. */
export function fromLocalInput(value: string): string | undefined {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
