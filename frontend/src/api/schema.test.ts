/** The generated types are those of the API: what the generators make now is what is stored. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const stored = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");
const python = fileURLToPath(new URL(".venv/bin/python", root));

it("schema.d.ts is made of openapi.json; if not, run `npm run types`", { timeout: 60_000 }, async () => {
  const made =
    COMMENT_HEADER +
    astToString(await openapiTS(JSON.parse(stored("openapi.json")), { defaultNonNullable: false }));

  expect(made).toBe(stored("schema.d.ts"));
});

it.skipIf(!existsSync(python))(
  "openapi.json is what the API says of itself; if not, run `npm run openapi`",
  { timeout: 60_000 },
  () => {
    const made = execFileSync(python, ["scripts/openapi"], { cwd: root, encoding: "utf8" });

    expect(made).toBe(stored("openapi.json"));
  },
);
