import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

interface Props {
  /** The term as the glossary has it. */
  of: string;
  /** The term as the sentence has it. */
  children: ReactNode;
}

/** The part of the glossary's address that leads to a term. */
export function anchorOf(term: string): string {
  return term.replaceAll(" ", "-");
}

/** A word that leads to its meaning. */
export function Term({ of, children }: Props) {
  return (
    <Link to="/glossary" hash={anchorOf(of)}>
      {children}
    </Link>
  );
}
