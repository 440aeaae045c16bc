import { describe, expect, test } from "vitest";
import { readSettings } from "../../plugins/settings";
import type { PhaseSettings } from "../api/types";
import { draftOf, GROUPS, hides, labelOf, meaningOf, newDraft, settingsOf } from "./settings";

const FIELDS = GROUPS.flatMap((group) => group.fields);
const STORED: PhaseSettings = {
  slug: "feedback",
  title: null,
  kind: "feedback",
  benchmark: "d".repeat(64),
  opens_at: "2026-01-01T00:00:07Z",
  closes_at: "2099-01-01T00:00:59Z",
  seeds: 8,
  shard_seeds: 4,
  quota_per_day: 5,
  quota_total: 30,
  seed_timeout_s: 12.5,
  memory_bytes: 2 ** 31 + 1,
  device: "cpu",
  environment: "current",
  metric: "lethe-1",
  max_time_ratio: 0.2,
  data_hidden: true,
  notebooks: false,
  notebook_timeout_s: 28800,
  cuda_stand_in: false,
  take_first: false,
  rehearse: true,
  robustness: false,
  placebo_audit: false,
  columns: ["ssd.zrf"],
  references: true,
  entered_by: null,
  selects: 1,
  draws_from: null,
  further_benchmarks: [],
};

describe("the form of a phase", () => {
  test("has every setting that the API has, once, and says what it means", () => {
    expect(FIELDS.map((one) => one.name).sort()).toEqual(Object.keys(readSettings()).sort());
    for (const one of FIELDS) expect(meaningOf(one), one.name).not.toBe("");
  });

  test("begins with the API's defaults", () => {
    const draft = newDraft();
    expect([draft.seeds, draft.memory_bytes, draft.rehearse, draft.quota_total]).toEqual([
      "512",
      "2",
      true,
      "",
    ]);
    expect(hides(draft)).toBe(true);
    expect(hides({ ...draft, kind: "check" })).toBe(false);
    expect(hides({ ...draft, kind: "check", data_hidden: true })).toBe(true);
  });

  test("leaves to the API what nobody filled in", () => {
    const asks = settingsOf({ ...newDraft(), slug: "first", benchmark: "tiny" });
    expect(asks).not.toHaveProperty("quota_total");
    expect(asks).not.toHaveProperty("data_hidden");
    expect(asks).not.toHaveProperty("metric");
    expect(asks).not.toHaveProperty("selects");
    expect(asks).toMatchObject({ slug: "first", seeds: 512, memory_bytes: 2 ** 31, notebooks: false });
  });
});

describe("a phase that is changed", () => {
  const { entered_by, selects, draws_from, further_benchmarks, title, ...rest } = STORED;

  test("keeps what was not touched, to the second and the byte", () => {
    expect(settingsOf(draftOf(STORED), STORED)).toEqual({ ...rest, title });
    expect([entered_by, selects, draws_from, further_benchmarks]).toEqual([null, 1, null, []]);
  });

  test("takes what was typed, and loses what was emptied", () => {
    const draft = {
      ...draftOf(STORED),
      quota_total: "",
      seeds: "16",
      memory_bytes: "1.5",
      title: "Practice",
    };
    const asks = settingsOf(draft, STORED);
    expect(asks).not.toHaveProperty("quota_total");
    expect(asks).toMatchObject({ seeds: 16, memory_bytes: 1.5 * 2 ** 30, title: "Practice" });
    expect(asks.closes_at).toBe(STORED.closes_at);
  });

  test("asks for what belongs to a sealed final only in one", () => {
    const final = { ...STORED, kind: "final", selects: 3, draws_from: ["feedback"] } as PhaseSettings;
    expect(settingsOf(draftOf({ ...final, entered_by: "selection" }), final)).toMatchObject({ selects: 3 });
    const open = { ...draftOf(final), entered_by: "upload" };
    expect(settingsOf(open)).not.toHaveProperty("selects");
  });
});

test("a refusal names a setting as the form does", () => {
  expect(labelOf("phases.feedback.seeds")).toBe("Runs per submission");
  expect(labelOf("title.of.nothing")).toBe("title.of.nothing");
});
