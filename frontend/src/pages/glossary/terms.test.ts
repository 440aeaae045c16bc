import { expect, it } from "vitest";
import { chaptersOf, GLOSSARY } from "./terms";

const PAGES: Record<string, string> = import.meta.glob("../../**/*.tsx", {
  query: "?raw",
  import: "default",
  eager: true,
});
const TERMS = GLOSSARY.flatMap(({ meanings }) => meanings.map(({ term }) => term));
const LINKED = Object.values(PAGES).flatMap((page) =>
  [...page.matchAll(/<Term of="([^"]+)"/g)].map(([, term]) => term ?? ""),
);

it("chapters and their terms are read off the page, and nothing else", () => {
  const page =
    "# Glossary\n\nWords.\n\n## One\n\n**a b**: First.\n\n**c**: Second:\nof two.\n\n## Two\n\nText.\n";
  expect(chaptersOf(page)).toEqual([
    {
      title: "One",
      meanings: [
        { term: "a b", meaning: "First." },
        { term: "c", meaning: "Second: of two." },
      ],
    },
    { title: "Two", meanings: [] },
  ]);
});

it("has each term once", () => {
  expect(TERMS).toEqual([...new Set(TERMS)]);
  expect(TERMS).toContain("submission");
});

it("explains every term in one plain sentence", () => {
  for (const { meanings } of GLOSSARY) {
    expect(meanings).not.toEqual([]);
    for (const { meaning } of meanings) expect(meaning).toMatch(/^[A-Z][^*`[\]\n]*\.$/);
  }
});

it("explains every term that a page links to", () => {
  expect(LINKED).not.toEqual([]);
  expect(LINKED.filter((term) => !TERMS.includes(term))).toEqual([]);
});
