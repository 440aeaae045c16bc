import { describe, expect, it } from "vitest";
import { hex, isWorkedOn, nextPart, uploadInWords } from "./uploads";

const upload = {
  received_bytes: 3_000_000,
  checked_bytes: 0,
  size_bytes: 9_000_000,
  reason: null,
  found: null,
};

describe("uploads of benchmarks", () => {
  it("say what has arrived, and what to do", () => {
    expect(uploadInWords({ ...upload, state: "uploading" })).toContain("Choose the same file to go on");
    expect(uploadInWords({ ...upload, state: "refused", reason: "Export it again." })).toBe(
      "Export it again.",
    );
    expect(uploadInWords({ ...upload, state: "verifying", reason: "The disk is full." })).toBe(
      "The disk is full.",
    );
    expect(uploadInWords({ ...upload, state: "waiting" })).toContain("waits for consent");
  });

  it("change by themselves only while the server works", () => {
    expect(
      (["uploading", "verifying", "waiting", "publishing"] as const).map((state) => isWorkedOn({ state })),
    ).toEqual([false, true, false, true]);
  });

  it("are cut into parts that leave nothing out", () => {
    const parts: (readonly [number, number])[] = [];
    for (let at = 0; at < 10; at = parts[parts.length - 1]?.[1] ?? 10) parts.push(nextPart(10, at, 4));
    expect(parts).toEqual([
      [0, 4],
      [4, 8],
      [8, 10],
    ]);
  });

  it("name digests in hex", () => {
    expect(hex(new Uint8Array([0, 15, 255]).buffer)).toBe("000fff");
  });
});
