/** Every setting of a phase: where its form has it, what it is called, and how a form's values become a request's. */
import { SETTINGS } from "virtual:settings";
import type { NewPhase, PhaseSettings } from "../api/types";
import { fromLocalInput, toLocalInput } from "./time";

export type Name = Exclude<keyof NewPhase, undefined>;
export type Kind =
  | "short name"
  | "text"
  | "count"
  | "number"
  | "GiB"
  | "moment"
  | "tick"
  | "choice"
  | "choices"
  | "columns";

export interface SettingField {
  name: Name;
  label: string;
  kind: Kind;
  /** Instead of what the API says of it, where that speaks to programs. */
  hint?: string;
}

interface Group {
  title: string;
  fields: readonly SettingField[];
  /** Only such phases have them. */
  of?: "final";
}

export const GROUPS: readonly Group[] = [
  {
    title: "The phase",
    fields: [
      { name: "slug", label: "Short name", kind: "short name" },
      { name: "title", label: "Title", kind: "text" },
      {
        name: "kind",
        label: "Kind",
        kind: "choice",
        hint: "A check phase is for trying things out, a feedback phase for competing, a final for deciding.",
      },
      {
        name: "benchmark",
        label: "Benchmark",
        kind: "choice",
        hint: "What submissions are evaluated against.",
      },
      { name: "opens_at", label: "Opens at", kind: "moment", hint: "When it begins to take submissions." },
      { name: "closes_at", label: "Closes at", kind: "moment", hint: "When it ends to take them." },
    ],
  },
  {
    title: "Quota and score",
    fields: [
      { name: "quota_per_day", label: "Submissions per team per 24 hours", kind: "count" },
      {
        name: "quota_total",
        label: "Submissions in all",
        kind: "count",
        hint: "Of one team, over the whole phase. Leave it empty to have only the daily quota.",
      },
      { name: "metric", label: "Rank by", kind: "choice", hint: "The metric that orders the leaderboard." },
      { name: "max_time_ratio", label: "Longest run time, of retraining", kind: "number" },
      {
        name: "columns",
        label: "Columns of the leaderboard",
        kind: "columns",
        hint: "Secondary columns that the leaderboard shows at first, in this order. They rank nothing; readers can choose others. Without any, it shows the parts of the score.",
      },
      { name: "seeds", label: "Runs per submission", kind: "count" },
      { name: "shard_seeds", label: "Runs a worker takes at once", kind: "count" },
    ],
  },
  {
    title: "What code finds",
    fields: [
      { name: "device", label: "Device", kind: "choice", hint: "What submissions run on." },
      {
        name: "environment",
        label: "Environment",
        kind: "choice",
        hint: "Which Python packages code finds in the sandbox.",
      },
      { name: "seed_timeout_s", label: "Time of one run (seconds)", kind: "number" },
      { name: "memory_bytes", label: "Memory of one run (GiB)", kind: "GiB" },
      { name: "references", label: "Make reference rows", kind: "tick" },
      { name: "robustness", label: "Read every model under stress", kind: "tick" },
      { name: "placebo_audit", label: "Audit entries by placebo runs", kind: "tick" },
      { name: "data_hidden", label: "Keep this phase's data hidden from participants", kind: "tick" },
    ],
  },
  {
    title: "Notebooks",
    fields: [
      { name: "notebooks", label: "Accept notebooks", kind: "tick" },
      { name: "notebook_timeout_s", label: "Time of a whole notebook (seconds)", kind: "number" },
      { name: "take_first", label: "Use the first checkpoints only", kind: "tick" },
      { name: "cuda_stand_in", label: "Stand in for CUDA", kind: "tick" },
      { name: "rehearse", label: "Rehearse in a check phase", kind: "tick" },
    ],
  },
  {
    title: "Final",
    of: "final",
    fields: [
      {
        name: "entered_by",
        label: "Entered by",
        kind: "choice",
        hint: "Into a sealed final teams select submissions to other phases; its board is hidden until you publish it.",
      },
      { name: "selects", label: "Entries of a team", kind: "count" },
      { name: "draws_from", label: "Teams select from", kind: "choices" },
      { name: "further_benchmarks", label: "Run entries also on", kind: "choices" },
    ],
  },
];

/** The values of a form: numbers and moments as they are typed. Null is what was not chosen. */
export type Draft = Record<Name, string | boolean | string[] | null>;

const GIBIBYTE = 1024 ** 3;

/** What stands beside a setting. */
export function meaningOf({ name, hint }: SettingField): string {
  return hint ?? SETTINGS[name]?.meaning ?? "";
}

/** The values of a form for a phase that is to be made. */
export function newDraft(): Draft {
  const usual = GROUPS.flatMap((group) => group.fields).map((field) => {
    const value = SETTINGS[field.name]?.usual;
    return [field.name, written(field.kind, value)] as const;
  });
  return { ...(Object.fromEntries(usual) as Draft), kind: "feedback", metric: "" };
}

/** The values of a form for a phase as it is. */
export function draftOf(settings: PhaseSettings): Draft {
  const values = GROUPS.flatMap((group) => group.fields).map(
    (field) => [field.name, written(field.kind, settings[field.name])] as const,
  );
  return Object.fromEntries(values) as Draft;
}

function written(kind: Kind, value: unknown): string | boolean | string[] | null {
  if (kind === "tick") return typeof value === "boolean" ? value : null;
  if (kind === "choices" || kind === "columns") return Array.isArray(value) ? value.map(String) : [];
  if (kind === "moment") return typeof value === "string" ? toLocalInput(value) : "";
  if (kind === "GiB") return typeof value === "number" ? String(value / GIBIBYTE) : "";
  return value === undefined || value === null ? "" : String(value);
}

/** What a form asks for. What it leaves as it was stays as it was, to the second and the byte. */
export function settingsOf(draft: Draft, before?: PhaseSettings): NewPhase {
  const isFinal = draft.kind === "final";
  const was = before ? draftOf(before) : undefined;
  const entries: [Name, unknown][] = [];
  for (const group of GROUPS) {
    if (group.of === "final" && !isFinal) continue;
    for (const { name, kind } of group.fields) {
      const isKept = was !== undefined && JSON.stringify(was[name]) === JSON.stringify(draft[name]);
      const value = isKept ? before?.[name] : asked(kind, draft[name]);
      if (value !== undefined) entries.push([name, value]);
    }
  }
  const asks = Object.fromEntries(entries);
  if (isFinal && asks.entered_by === "upload") {
    for (const name of ["selects", "draws_from", "further_benchmarks"]) delete asks[name];
  }
  return asks as unknown as NewPhase;
}

/** One value as the API reads it; undefined leaves it to the API. */
function asked(kind: Kind, value: Draft[Name]): unknown {
  if (Array.isArray(value)) return value.length > 0 ? value : undefined;
  if (value === null || value === "") return undefined;
  if (typeof value === "boolean") return value;
  if (kind === "moment") return fromLocalInput(value);
  if (kind === "GiB") return Math.round(Number(value) * GIBIBYTE);
  return kind === "count" || kind === "number" ? Number(value) : value;
}

/** Whether the data of a phase are hidden: as somebody said, else as its kind has it. */
export function hides(draft: Draft): boolean {
  return typeof draft.data_hidden === "boolean" ? draft.data_hidden : draft.kind !== "check";
}

/** What a form calls a setting that a refusal names by its path, such as `phases.feedback.seeds`. */
export function labelOf(path: string): string {
  const name = path.split(".").at(-1);
  return GROUPS.flatMap((group) => group.fields).find((one) => one.name === name)?.label ?? path;
}
