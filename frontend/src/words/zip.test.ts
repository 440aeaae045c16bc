import { expect, test } from "vitest";
import { crc32, zipOf } from "./zip";

const text = (words: string) => new TextEncoder().encode(words);

test("the checksum is that of the standard", () => {
  expect(crc32(text("123456789"))).toBe(0xcbf43926);
  expect(crc32(text(""))).toBe(0);
});

test("a zip holds its files at the top, uncompressed, and a directory of them", () => {
  const zip = zipOf([
    { name: "submission.py", bytes: text("import core") },
    { name: "core.py", bytes: text("x = 1") },
  ]);
  const view = new DataView(zip.buffer);
  const end = zip.length - 22;
  expect(view.getUint32(0, true)).toBe(0x04034b50);
  expect(new TextDecoder().decode(zip.slice(30, 30 + 13 + 11))).toBe("submission.pyimport core");
  expect(view.getUint32(end, true)).toBe(0x06054b50);
  expect(view.getUint16(end + 10, true)).toBe(2);
  const directory = view.getUint32(end + 16, true);
  expect(view.getUint32(directory, true)).toBe(0x02014b50);
  expect(directory + view.getUint32(end + 12, true)).toBe(end);
});
