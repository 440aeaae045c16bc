import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useRouter } from "@tanstack/react-router";
import { type RefObject, useEffect, useRef } from "react";
import { me, unread } from "../api/queries/account";
import { installation } from "../api/queries/installation";
import styles from "./Layout.module.css";
import { ThemeChoice } from "./ThemeChoice";

export function Layout() {
  const main = useRef<HTMLElement>(null);
  useFocusOnNewPages(main);
  return (
    <div className={styles.layout}>
      <a href="#main" className={styles.skip}>
        Skip to the content
      </a>
      <header className={styles.header}>
        <div className={styles.inner}>
          <Link to="/" className={styles.mark} aria-label="Lethe: first page">
            <svg viewBox="0 0 32 24" aria-hidden="true">
              <path d="M3 5c4.5-4 8.5-4 13 0s8.5 4 13 0" />
              <path d="M3 12c4.5-4 8.5-4 13 0s8.5 4 13 0" />
              <path d="M3 19c4.5-4 8.5-4 13 0s8.5 4 13 0" />
            </svg>
            Lethe
          </Link>
          <Navigation />
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1} className={styles.main}>
        <Outlet />
      </main>
      <footer className={styles.footer}>
        <div className={styles.inner}>
          <p>
            Open competitions for machine unlearning. <Version />
          </p>
          <Link to="/docs">Documentation</Link>
          <Link to="/docs/$" params={{ _splat: "glossary" }}>
            Glossary
          </Link>
          <a href="/api/docs">API</a>
          <ThemeChoice />
        </div>
      </footer>
    </div>
  );
}

/** Moves the focus to the content of a new page, unless its reader has moved it there already. */
function useFocusOnNewPages(main: RefObject<HTMLElement | null>) {
  const router = useRouter();
  const left = useRef<Element | null>(null);
  useEffect(() => {
    const leaving = router.subscribe("onBeforeNavigate", () => {
      left.current = document.activeElement;
    });
    const arrived = router.subscribe("onResolved", ({ fromLocation, pathChanged }) => {
      if (fromLocation && pathChanged) forgetCard();
      const unmoved = [left.current, document.body].includes(document.activeElement);
      if (fromLocation && pathChanged && unmoved) main.current?.focus({ preventScroll: true });
    });
    return () => {
      leaving();
      arrived();
    };
  }, [router, main]);
}

/** Drops what the server wrote into the head about the page that was opened first. */
function forgetCard() {
  for (const tag of document.head.querySelectorAll("[data-card]")) tag.remove();
}

function Version() {
  const { data } = useQuery(installation);
  return data && <>Lethe {data.version}.</>;
}

function Notices() {
  const { data } = useQuery(unread);
  const count = data?.unread ?? 0;
  return <Link to="/notices">Notices{count > 0 && ` (${count > 99 ? "99+" : count})`}</Link>;
}

function Navigation() {
  const { data: who } = useQuery(me);
  return (
    <nav aria-label="Main" className={styles.nav}>
      <Link to="/competitions" activeOptions={{ exact: true }}>
        Competitions
      </Link>
      <Link to="/about">About</Link>
      <Link to="/docs">Docs</Link>
      {who && <Link to="/submissions">My submissions</Link>}
      {who?.account.role === "operator" && <Link to="/operator">Operator</Link>}
      {who && <Notices />}
      {who && <Link to="/account">{who.account.username}</Link>}
      {who === null && <Link to="/sign-in">Sign in</Link>}
    </nav>
  );
}
