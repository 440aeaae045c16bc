import { useQuery } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import { useState } from "react";
import { chaptersOf } from "../../docs/chapters";
import styles from "./Docs.module.css";
import { Results } from "./Results";
import { sourceOf } from "./sources";

/** The documentation: a page, what else there is, and a search through all of it. */
export function Docs() {
  const [words, setWords] = useState("");
  return (
    <div className={styles.docs}>
      <div className={styles.side}>
        <search>
          <label className={styles.search}>
            Search the documentation
            <input type="search" value={words} onChange={(event) => setWords(event.target.value)} />
          </label>
        </search>
        <Contents />
      </div>
      <div className={styles.page}>
        {words.trim() ? <Results of={words} onFollow={() => setWords("")} /> : <Outlet />}
      </div>
    </div>
  );
}

function Contents() {
  const { data } = useQuery(docsFile("README.md"));
  return (
    <details className={styles.contents} open={innerWidth > NARROW_PX || undefined}>
      <summary>Contents</summary>
      <nav aria-label="Documentation">
        {chaptersOf(data ?? "").map((chapter) => (
          <div key={chapter.title}>
            <p>{chapter.title}</p>
            <ul>
              {chapter.pages.map(({ page, title }) => (
                <li key={page}>
                  <Link to="/docs/$" params={{ _splat: page }} activeOptions={{ includeHash: false }}>
                    {title}
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
    </details>
  );
}

const NARROW_PX = 880;

/** A file of docs/, which never changes while the app runs. */
export const docsFile = (path: string) => ({
  queryKey: ["docs", path],
  queryFn: () => sourceOf(path),
  staleTime: Number.POSITIVE_INFINITY,
});
