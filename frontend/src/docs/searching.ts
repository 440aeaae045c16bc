/** How the documentation is searched. The build makes the index with these options, and the app reads it with them. */
import MiniSearch, { type Options } from "minisearch";
import { pageOf } from "./links.ts";
import { sectionsOf } from "./sections.ts";

export interface Found {
  id: string;
  page: string;
  anchor: string;
  /** The title of the page. */
  of: string;
  title: string;
  start: string;
}

const START_CHARS = 160;
const MOST = 20;

const OPTIONS: Options = {
  fields: ["title", "of", "text"],
  storeFields: ["page", "anchor", "of", "title", "start"],
  searchOptions: {
    boost: { title: 4, of: 2 },
    prefix: true,
    fuzzy: (term) => (term.length > 4 ? 0.15 : false),
    combineWith: "AND",
  },
};

/** Index the sections of all files, by their paths in docs/. */
export function indexOf(files: Readonly<Record<string, string>>): MiniSearch {
  const index = new MiniSearch(OPTIONS);
  for (const [path, source] of Object.entries(files)) {
    const page = pageOf(path);
    const [first, ...rest] = sectionsOf(page, source);
    for (const { title, anchor, text } of first ? [first, ...rest] : []) {
      const start = text.length > START_CHARS ? `${text.slice(0, START_CHARS)}…` : text;
      index.add({ id: `${page}#${anchor}`, page, anchor, of: first?.title, title, text, start });
    }
  }
  return index;
}

export function readIndex(json: string): MiniSearch {
  return MiniSearch.loadJSON(json, OPTIONS);
}

export function search(index: MiniSearch, words: string): Found[] {
  return index.search(words).slice(0, MOST) as unknown as Found[];
}
