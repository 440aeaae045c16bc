/** Where the links of docs/ lead in the web app. */

export type Way =
  | { kind: "page"; page: string; hash: string | undefined }
  | { kind: "file"; path: string }
  | { kind: "repository"; path: string }
  | { kind: "away"; href: string };

/** The page that a file of docs/ is shown as: `methods/README.md` as `methods`, `README.md` as the first one. */
export function pageOf(path: string): string {
  return path
    .replace(/\.md$/, "")
    .replace(/(^|\/)README$/, "")
    .replace(/\/$/, "");
}

/** Follow a link of a file of docs/. What lies outside docs/ is in the repository only. */
export function follow(from: string, href: string): Way {
  if (/^[a-z]+:/i.test(href)) return { kind: "away", href };
  const [target = "", hash] = href.split("#", 2);
  if (target === "") return { kind: "page", page: pageOf(from), hash };
  const path = joined(from, target);
  if (path.startsWith("../")) return { kind: "repository", path: path.slice(3) };
  if (path === "" || path.endsWith("/") || path.endsWith(".md")) {
    return { kind: "page", page: pageOf(path), hash };
  }
  return { kind: "file", path };
}

function joined(from: string, target: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
