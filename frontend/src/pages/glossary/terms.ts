/** The words that Lethe gives one meaning. Their home is docs/glossary.md, which this reads. */
import source from "../../../../docs/glossary.md?raw";

export interface Meaning {
  term: string;
  meaning: string;
}

export interface Chapter {
  title: string;
  meanings: Meaning[];
}

export const GLOSSARY: readonly Chapter[] = chaptersOf(source);

/** Read chapters (`## Title`) and their terms (`**term**: meaning`, each a paragraph) out of the page. */
export function chaptersOf(page: string): Chapter[] {
  return page
    .split(/^## /m)
    .slice(1)
    .map((chapter) => ({
      title: chapter.split("\n", 1)[0] ?? "",
      meanings: chapter.split(/\n{2,}/).flatMap(meaningOf),
    }));
}

function meaningOf(paragraph: string): Meaning[] {
  const [, term, meaning] = /^\*\*(.+?)\*\*: (.+)$/s.exec(paragraph.trim()) ?? [];
  return term && meaning ? [{ term, meaning: meaning.replaceAll("\n", " ") }] : [];
}
