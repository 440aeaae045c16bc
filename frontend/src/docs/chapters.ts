/** The order of the documentation, which docs/README.md decides. */
import { follow } from "./links";

export interface ChapterOfDocs {
  title: string;
  pages: { page: string; title: string }[];
}

/** Read chapters (`## Title`) and their pages (`- [title](file): words`). */
export function chaptersOf(readme: string): ChapterOfDocs[] {
  return readme
    .split(/^## /m)
    .slice(1)
    .map((chapter) => ({
      title: chapter.split("\n", 1)[0] ?? "",
      pages: [...chapter.matchAll(/^- \[([^\]]+)\]\(([^)]+)\)/gm)].flatMap(([, title = "", href = ""]) => {
        const way = follow("README.md", href);
        return way.kind === "page" ? [{ page: way.page, title }] : [];
      }),
    }));
}
