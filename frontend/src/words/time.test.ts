import { describe, expect, it } from "vitest";
import {
  countdown,
  currentPhase,
  firstPhase,
  fromLocalInput,
  moment,
  preferZone,
  runTime,
  span,
  toLocalInput,
  zone,
} from "./time";

const NOW = Date.parse("2026-06-01T12:00:00Z");
const window = (opens_at: string, closes_at: string) => ({ opens_at, closes_at });
const PAST = window("2026-05-01T00:00:00Z", "2026-05-31T12:00:00Z");
const OPEN = window("2026-05-31T12:00:00Z", "2026-06-04T17:00:00Z");
const NEXT = window("2026-06-01T12:00:30Z", "2026-07-01T00:00:00Z");

describe("span", () => {
  it.each([
    [0, "0 s"],
    [0.05, "50 ms"],
    [59.6, "1 min"],
    [125, "2 min 5 s"],
    [3600, "1 h"],
    [90_061, "1 d 1 h"],
  ])("says %d s as %s", (seconds, expected) => {
    expect(span(seconds)).toBe(expected);
  });
});

describe("countdown", () => {
  it("counts to the opening, then to the closing, then from it", () => {
    expect(countdown(NEXT, NOW)).toBe("opens in 30 s");
    expect(countdown(OPEN, NOW)).toBe("closes in 3 d 5 h");
    expect(countdown(PAST, NOW)).toBe("closed 1 d ago");
  });

  it.each([
    ["2026-06-30T12:00:00Z", "29 d"],
    ["2026-07-02T17:00:00Z", "31 days"],
    ["2099-02-01T12:00:00Z", "72 years"],
  ])("counts to %s in %s", (closes, expected) => {
    expect(countdown(window(OPEN.opens_at, closes), NOW)).toBe(`closes in ${expected}`);
  });

  it("is open from the first moment and closed at the last", () => {
    expect(countdown(OPEN, Date.parse(OPEN.opens_at))).toMatch(/^closes/);
    expect(countdown(OPEN, Date.parse(OPEN.closes_at))).toMatch(/^closed/);
  });
});

describe("currentPhase", () => {
  it("prefers an open phase, then the next, then the last", () => {
    expect(currentPhase([PAST, OPEN, NEXT], NOW)).toBe(OPEN);
    expect(currentPhase([PAST, NEXT], NOW)).toBe(NEXT);
    expect(currentPhase([PAST], NOW)).toBe(PAST);
    expect(currentPhase([], NOW)).toBeUndefined();
  });
});

describe("moments", () => {
  it("are told in the zone that is asked for", () => {
    expect(moment("2026-01-31T23:30:00Z", "Asia/Tokyo")).toBe("1 Feb 2026, 08:30");
  });

  it("survive an input of local time", () => {
    expect(fromLocalInput(toLocalInput("2026-03-29T01:30:00.000Z"))).toBe("2026-03-29T01:30:00.000Z");
  });

  it.each(["", "20261-01-01T00:00", "2026-13-01T00:00"])("are none where the input holds %o", (value) => {
    expect(fromLocalInput(value)).toBeUndefined();
  });
});

it("run times keep three digits", () => {
  expect(runTime(0.0312)).toBe("0.0312 s");
  expect(runTime(150)).toBe("2 min 30 s");
});

describe("firstPhase", () => {
  const phase = (kind: string, of: typeof OPEN, entered_by = "upload") => ({ kind, entered_by, ...of });

  it("is the open check phase, whatever else is open", () => {
    const check = phase("check", OPEN);
    expect(firstPhase([check, phase("feedback", OPEN)], NOW)).toBe(check);
  });

  it("is the current one if no check phase is open", () => {
    const feedback = phase("feedback", OPEN);
    expect(firstPhase([phase("check", PAST), feedback, phase("final", NEXT, "selection")], NOW)).toBe(
      feedback,
    );
  });
});

describe("preferZone", () => {
  it("shows moments in the zone that the reader prefers, and in the browser's otherwise", () => {
    const browsers = zone();
    preferZone("Asia/Tokyo");
    expect([zone(), moment("2026-06-01T12:00:00Z")]).toEqual(["Asia/Tokyo", "1 Jun 2026, 21:00"]);
    preferZone("Nowhere/Land");
    expect(zone()).toBe(browsers);
    preferZone("");
    expect(zone()).toBe(browsers);
  });
});
