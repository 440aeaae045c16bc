/** What the build makes of docs/: the titles of its pages, and an index to search them by. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Plugin } from "vite";
import { indexOf } from "../src/docs/searching.ts";
import { titleOf } from "../src/docs/sections.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "docs");

/** All Markdown files of docs/, by their paths there. */
export function readDocs(folder: string = FOLDER): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && one.name.endsWith(".md"))
    .map((one) => join(one.parentPath, one.name))
    .sort();
  return Object.fromEntries(
    paths.map((path) => [relative(folder, path).replaceAll(sep, "/"), readFileSync(path, "utf8")]),
  );
}

const MODULES: Record<string, () => string> = {
  "virtual:docs/titles": () => {
    const titles = Object.entries(readDocs()).map(([path, source]) => [path, titleOf(source)]);
    return `export const TITLES = ${JSON.stringify(Object.fromEntries(titles))};`;
  },
  "virtual:docs/index": () => `export default ${JSON.stringify(JSON.stringify(indexOf(readDocs())))};`,
};

export function docs(): Plugin {
  return {
    name: "docs",
    resolveId: (id) => (id in MODULES ? `\0${id}` : undefined),
    load: (id) => MODULES[id.slice(1)]?.(),
  };
}
