import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { Problem } from "../api/client";
import { moment } from "../words/time";
import { Button, buttonLook } from "./Button";
import styles from "./states.module.css";

/** What stands where something else was meant to: while loading, when there is nothing, when something went wrong. */
interface StateProps {
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}

function State({ title, children, actions }: StateProps) {
  return (
    <div className={styles.state}>
      <Ripples />
      <h2>{title}</h2>
      {children && <div className={styles.words}>{children}</div>}
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}

export function Loading({ what = "the page" }: { what?: string }) {
  return (
    <div className={styles.loading} role="status">
      <span className={styles.bar} aria-hidden="true" />
      <span className={styles.bar} aria-hidden="true" />
      <span className={styles.bar} aria-hidden="true" />
      <span className={styles.said}>Loading {what}…</span>
    </div>
  );
}

export function Empty(props: StateProps) {
  return <State {...props} />;
}

export function NotFound({ children }: { children?: ReactNode }) {
  return (
    <State
      title="We could not find this page"
      actions={
        <Link to="/competitions" className={buttonLook()}>
          See all competitions
        </Link>
      }
    >
      {children ?? "This page doesn't exist, or you don't have access to it. Check its address."}
    </State>
  );
}

export function Forbidden({ children }: { children?: ReactNode }) {
  return (
    <State title="You don't have access">{children ?? "Ask an operator for access to this page."}</State>
  );
}

export function SignInNeeded() {
  return (
    <State
      title="Sign in to continue"
      actions={
        <Link
          to="/sign-in"
          search={{ back: location.pathname + location.search }}
          className={buttonLook("main")}
        >
          Sign in
        </Link>
      }
    >
      Only people with an account can see this page.
    </State>
  );
}

/** Any error, as the state that fits it. */
export function Failed({ error, again }: { error: unknown; again?: () => void }) {
  if (error instanceof Problem) {
    if (error.status === 404) return <NotFound>{error.message}</NotFound>;
    if (error.status === 403) return <Forbidden>{error.message}</Forbidden>;
    if (error.status === 401) return <SignInNeeded />;
  }
  const [title, words] = explained(error);
  return (
    <div role="alert">
      <State title={title} actions={again && <Button onClick={again}>Try again</Button>}>
        {words}
      </State>
    </div>
  );
}

function explained(error: unknown): [title: string, words: string] {
  if (!(error instanceof Problem)) {
    return [
      "Something went wrong",
      "This page had an error. Reload it. If the error comes back, tell the operator what you did.",
    ];
  }
  if (error.status === 0) return ["The server did not answer", "Check your connection, then try again."];
  return ["Something went wrong", error.message];
}

/** An error beside the form or button that caused it. */
export function Notice({ error }: { error: unknown }) {
  if (!error) return null;
  const next = error instanceof Problem ? error.details.next_slot_at : undefined;
  return (
    <p role="alert" className={styles.notice}>
      {error instanceof Error ? error.message : "Something went wrong. Try again."}
      {typeof next === "string" && ` In your time zone: ${moment(next)}.`}
      {error instanceof Problem && <Explained code={error.code} />}
    </p>
  );
}

/** The way to what the documentation says about an error of the API. */
function Explained({ code }: { code: string }) {
  if (UNEXPLAINED.includes(code)) return null;
  return (
    <>
      {" "}
      <Link to="/docs/$" params={{ _splat: "reference/errors" }} hash={code}>
        About this error
      </Link>
    </>
  );
}

/** These are about the connection or a form, and say all there is to say. */
const UNEXPLAINED: readonly string[] = ["unreachable", "no_answer", "invalid_request"];

function Ripples() {
  return (
    <svg viewBox="0 0 120 28" className={styles.ripples} aria-hidden="true">
      <path d="M2 7c14-7 25-7 38 0s25 7 38 0 25-7 40 0" />
      <path d="M2 14c14-7 25-7 38 0s25 7 38 0 25-7 40 0" />
      <path d="M2 21c14-7 25-7 38 0s25 7 38 0 25-7 40 0" />
    </svg>
  );
}
