import { TITLES } from "virtual:docs/titles";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useParams } from "@tanstack/react-router";
import { useEffect } from "react";
import { pageOf } from "../../docs/links";
import { sectionsOf, titleOf, withoutTitle } from "../../docs/sections";
import { Documentation } from "../../markdown/Documentation";
import { Await } from "../../ui/Await";
import { Page } from "../../ui/Page";
import { NotFound } from "../../ui/states";
import { Glossary } from "../glossary/Glossary";
import { docsFile } from "./Docs";
import styles from "./Docs.module.css";
import { addressOf, fileOf } from "./sources";

/** One page of docs/. A folder without a page of its own lists its pages. */
export function DocsPage() {
  const { _splat = "" } = useParams({ strict: false });
  const page = _splat.replace(/\/$/, "");
  const path = fileOf(page);
  if (path) return <Shown key={path} path={path} />;
  const within = Object.keys(TITLES).filter((one) => one.startsWith(`${page}/`));
  if (within.length > 0) return <Folder name={page} pages={within} />;
  return (
    <Page title="Not found">
      <NotFound>The documentation has no such page. Look at its contents, or search it.</NotFound>
    </Page>
  );
}

function Shown({ path }: { path: string }) {
  const query = useQuery(docsFile(path));
  const page = pageOf(path);
  useScrollToHash(query.data);
  return (
    <Await query={query} what="the page" page={TITLES[path] ?? "Documentation"}>
      {(source) => (
        <Page title={titleOf(source)} tab={`${titleOf(source)}: documentation`}>
          {page === "" || page === "glossary" ? null : <OnThisPage page={page} source={source} />}
          {page === "glossary" ? (
            <Glossary />
          ) : (
            <Documentation path={path} text={withoutTitle(source)} addressOf={addressOf} nameOf={nameOf} />
          )}
        </Page>
      )}
    </Await>
  );
}

function nameOf(page: string): string | undefined {
  return TITLES[fileOf(page) ?? ""];
}

/** Its content comes after the router has looked for the place that the address names. */
function useScrollToHash(source: string | undefined) {
  const { hash } = useLocation();
  useEffect(() => {
    if (source && hash) document.getElementById(hash)?.scrollIntoView();
  }, [source, hash]);
}

function OnThisPage({ page, source }: { page: string; source: string }) {
  const sections = sectionsOf(page, source).filter(({ level }) => level === 2);
  if (sections.length < 3) return null;
  return (
    <nav aria-label="On this page" className={styles.onThisPage}>
      <ul>
        {sections.map(({ title, anchor }) => (
          <li key={anchor}>
            <Link to="/docs/$" params={{ _splat: page }} hash={anchor}>
              {title}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Folder({ name, pages }: { name: string; pages: readonly string[] }) {
  return (
    <Page title={name.charAt(0).toUpperCase() + name.slice(1)} tab={`${name}: documentation`}>
      <ul className={styles.folder}>
        {pages.map((path) => (
          <li key={path}>
            <Link to="/docs/$" params={{ _splat: pageOf(path) }}>
              {TITLES[path]}
            </Link>
          </li>
        ))}
      </ul>
    </Page>
  );
}
