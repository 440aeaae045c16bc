/** The files of docs/: pages, which load when they are read, and the addresses of their pictures. */
const PAGES = import.meta.glob<string>("../../../../docs/**/*.md", { query: "?raw", import: "default" });
const FILES = import.meta.glob<string>("../../../../docs/**/*.{svg,png,yaml}", {
  query: "?url",
  import: "default",
  eager: true,
});
const ROOT = "../../../../docs/";

/** The file that a page shows; undefined if there is none. */
export function fileOf(page: string): string | undefined {
  return [`${page}.md`, `${page}/README.md`, "README.md"].find(
    (path) => `${ROOT}${path}` in PAGES && (path !== "README.md" || page === ""),
  );
}

export async function sourceOf(path: string): Promise<string> {
  const load = PAGES[`${ROOT}${path}`];
  if (!load) throw new Error(`There is no docs/${path}.`);
  return load();
}

export function addressOf(path: string): string | undefined {
  return FILES[`${ROOT}${path}`];
}
