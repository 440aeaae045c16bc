/** What the pages of docs/ consist of: a title, sections with the anchors that lead to them, and rows that have one. */

export interface SectionOfDocs {
  title: string;
  /** The part of the address that leads to it; empty for what comes before the first heading. */
  anchor: string;
  level: number;
  text: string;
}

const HEADING = /^(#{1,6}) (.+)$/;
const TERM = /^\*\*(.+?)\*\*: /;
const ROW = /^\| `([^`]+)` (.+)/;

/** The pages whose rows are linked to: by an error's code, or by a setting's name. */
export const PAGES_OF_ROWS: readonly string[] = ["reference/errors", "settings"];

/** The anchor of a heading, as GitHub makes it. */
export function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}

/** The anchor of a term of the glossary. */
export function anchorOf(term: string): string {
  return term.replaceAll(" ", "-");
}

export function titleOf(source: string): string {
  return plain(/^# (.+)$/m.exec(source)?.[1] ?? "");
}

/** A page without its title, which stands above it. */
export function withoutTitle(source: string): string {
  return source.replace(/^# .+\n+/, "");
}

/** Cut a page at its headings. A term of the glossary and a row that is linked to are sections of their own. */
export function sectionsOf(page: string, source: string): SectionOfDocs[] {
  const found: SectionOfDocs[] = [{ title: titleOf(source), anchor: "", level: 1, text: "" }];
  let fenced = false;
  for (const line of withoutTitle(source).split("\n")) {
    if (line.startsWith("```")) fenced = !fenced;
    const [, marks, heading] = (!fenced && HEADING.exec(line)) || [];
    const [, term] = (page === "glossary" && TERM.exec(line)) || [];
    const [, name, rest = ""] = (!fenced && PAGES_OF_ROWS.includes(page) && ROW.exec(line)) || [];
    if (marks && heading) {
      found.push({ title: plain(heading), anchor: slugOf(plain(heading)), level: marks.length, text: "" });
    } else if (term) {
      found.push({ title: term, anchor: anchorOf(term), level: 6, text: line.replace(TERM, "") });
    } else if (name) {
      found.push({ title: name, anchor: name, level: 6, text: rest });
    } else {
      const last = found.at(-1);
      if (last) last.text += `\n${line}`;
    }
  }
  return found.map((one) => ({ ...one, text: plain(one.text) }));
}

/** All anchors of a page. */
export function anchorsOf(page: string, source: string): string[] {
  return sectionsOf(page, source)
    .map(({ anchor }) => anchor)
    .filter((anchor) => anchor !== "");
}

/** Markdown as words: without the marks that a reader does not see. */
function plain(text: string): string {
  return text
    .replace(/^```\w*$/gm, "")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\*\*|`/g, "")
    .replace(/^\|[-: |]+\|$/gm, "")
    .replace(/\s*\|\s*/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}
