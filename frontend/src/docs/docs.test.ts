/** The documentation as the app shows it: every link of its pages and of the app leads to something. */
import { readdirSync } from "node:fs";
import { expect, it, test } from "vitest";
import { readDocs } from "../../plugins/docs";
import { chaptersOf } from "./chapters";
import { follow, pageOf, type Way } from "./links";
import { indexOf, readIndex, search } from "./searching";
import { anchorsOf, sectionsOf } from "./sections";

const FILES = readDocs();
const REPOSITORY = new URL("../../../", import.meta.url);
const PAGES = new Map(
  Object.entries(FILES).map(([path, text]) => [pageOf(path), anchorsOf(pageOf(path), text)]),
);
const FOLDERS = new Set(Object.keys(FILES).map((path) => path.split("/").slice(0, -1).join("/")));
const APP: Record<string, string> = import.meta.glob("../**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});

const there = (path: string) =>
  readdirSync(new URL(path.replace(/[^/]*$/, ""), REPOSITORY)).includes(path.replace(/.*\//, ""));

function leads(way: Way): boolean {
  switch (way.kind) {
    case "page":
      return way.hash
        ? (PAGES.get(way.page)?.includes(way.hash) ?? false)
        : PAGES.has(way.page) || FOLDERS.has(way.page);
    case "file":
      return there(`docs/${way.path}`);
    case "repository":
      return there(way.path.split("#")[0] ?? "");
    case "away":
      return way.href.startsWith("https://");
  }
}

function linksOf(source: string): string[] {
  const prose = source.replace(/^```.*?^```$/gms, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, href = ""]) => href);
}

test.each(Object.keys(FILES))("every link of %s leads to something", (path) => {
  expect(linksOf(FILES[path] ?? "").filter((href) => !leads(follow(path, href)))).toEqual([]);
});

test.each([...PAGES.keys()])("each anchor of %j is there once", (page) => {
  const anchors = PAGES.get(page) ?? [];
  expect(anchors).toEqual([...new Set(anchors)]);
});

it("is where the app's links lead", () => {
  const links = Object.values(APP).flatMap((file) =>
    [...file.matchAll(/_splat: "([^"]+)" \}\}(?:\s+hash="([^"]+)")?/g)].map(([, page = "", hash]) => ({
      page,
      hash,
    })),
  );
  expect(links.length).toBeGreaterThan(3);
  const dead = links.filter(
    ({ page, hash }) => !PAGES.has(page) || (hash && !PAGES.get(page)?.includes(hash)),
  );
  expect(dead).toEqual([]);
});

it("has every page in its contents, or in a folder that they name", () => {
  const listed = chaptersOf(FILES["README.md"] ?? "").flatMap(({ pages }) => pages.map(({ page }) => page));
  const lost = [...PAGES.keys()].filter(
    (page) => page !== "" && !listed.includes(page) && !listed.includes(page.split("/")[0] ?? ""),
  );
  expect(lost).toEqual([]);
  expect(listed.filter((page) => !PAGES.has(page) && !FOLDERS.has(page))).toEqual([]);
});

test.each([
  ["scoring.md", "benchmarks.md#fitness", { kind: "page", page: "benchmarks", hash: "fitness" }],
  ["scoring.md", "#suites", { kind: "page", page: "scoring", hash: "suites" }],
  ["methods/README.md", "../scoring.md", { kind: "page", page: "scoring", hash: undefined }],
  ["methods/dampening.md", "README.md", { kind: "page", page: "methods", hash: undefined }],
  ["README.md", "decisions/", { kind: "page", page: "decisions", hash: undefined }],
  ["methods/dampening.md", "../images/a.svg", { kind: "file", path: "images/a.svg" }],
  ["methods/dampening.md", "../../baselines/ssd.py", { kind: "repository", path: "baselines/ssd.py" }],
  ["scoring.md", "https://example.org/a.md", { kind: "away", href: "https://example.org/a.md" }],
])("a link of %s to %s is followed", (from, href, way) => {
  expect(follow(from, href)).toEqual(way);
});

it("cuts a page at its headings, but not within code", () => {
  const page =
    "# Title\n\nFirst.\n\n## One `a`\n\n```sh\n# no heading\n```\n\n### Two, too\n\n| a | b |\n|---|---|\n";
  expect(sectionsOf("page", page)).toEqual([
    { title: "Title", anchor: "", level: 1, text: "First." },
    { title: "One a", anchor: "one-a", level: 2, text: "# no heading" },
    { title: "Two, too", anchor: "two-too", level: 3, text: "a b" },
  ]);
});

test.each([
  ["tie group", "glossary", "tie-group"],
  ["quota_exceeded", "reference/errors", "quota_exceeded"],
  ["LETHE_ALLOWED_HOSTS", "settings", "LETHE_ALLOWED_HOSTS"],
])("a search for %j finds it among the first", (words, page, anchor) => {
  const index = readIndex(JSON.stringify(indexOf(FILES)));
  const found = search(index, words).slice(0, 5);
  expect(found.map((one) => `${one.page}#${one.anchor}`)).toContain(`${page}#${anchor}`);
});

it("finds nothing where there is nothing", () => {
  expect(search(indexOf(FILES), "xylophone")).toEqual([]);
});
