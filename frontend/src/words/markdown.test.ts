import { expect, test } from "vitest";
import { firstLine } from "./markdown";

test.each([
  ["", ""],
  ["Plain.\n\nMore.", "Plain."],
  ["\n# A **bold** `title`\nText", "A bold title"],
  ["See [the page](https://example.org) and ![a cat](cat.png).", "See the page and a cat."],
])("the first line of %j is plain words", (text, line) => {
  expect(firstLine(text)).toBe(line);
});
