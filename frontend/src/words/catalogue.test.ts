import { expect, it } from "vitest";
import type { Catalogue } from "../api/types";
import { alarmTitle, columnInfo, explain, flagText, metricOptions, NOTHING, suiteTitle } from "./catalogue";

const SHARES = { unit: "share", better: "higher", meaning: "accuracy on retain examples" } as const;
const KNOWN: Catalogue = {
  ...NOTHING,
  metrics: [{ name: "lethe-1", title: "Lethe 1", meaning: "", source: "", has_ceiling: true }],
  suites: [
    {
      name: "ssd",
      title: "Selective synaptic dampening",
      source: "arXiv",
      columns: [{ name: "retain_accuracy", title: "Retain accuracy", ...SHARES, oracle_column: null }],
    },
  ],
  flags: [{ name: "no_ceiling", meaning: "There is no ceiling.", consequence: "F counts as 0." }],
  alarms: [{ kind: "above_ceiling", title: "Above the ceiling", meaning: "" }],
};

it("a name is shown as the catalogue says", () => {
  expect(metricOptions(KNOWN)).toEqual([{ value: "lethe-1", label: "Lethe 1 (lethe-1)" }]);
  expect(suiteTitle(KNOWN, "ssd")).toBe("Selective synaptic dampening");
  expect(columnInfo(KNOWN, "ssd", "retain_accuracy").title).toBe("Retain accuracy");
  expect(explain(columnInfo(KNOWN, "ssd", "retain_accuracy"))).toBe(
    "Accuracy on retain examples, in share. Higher is better.",
  );
  expect(flagText(KNOWN, "no_ceiling")).toBe("There is no ceiling. F counts as 0.");
  expect(alarmTitle(KNOWN, "above_ceiling")).toBe("Above the ceiling");
});

it("a name that the catalogue does not know is shown as words", () => {
  expect(suiteTitle(NOTHING, "u-lira")).toBe("u lira");
  expect(columnInfo(NOTHING, "ssd", "retain_accuracy").title).toBe("retain accuracy");
  expect(explain(columnInfo(NOTHING, "ssd", "retain_accuracy"))).toBe("");
  expect(flagText(NOTHING, "no_ceiling")).toBe("no ceiling");
  expect(alarmTitle(NOTHING, "above_ceiling")).toBe("above ceiling");
});
