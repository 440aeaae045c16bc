import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { anchorOf } from "../docs/sections";

interface Props {
  /** The term as the glossary has it. */
  of: string;
  /** The term as the sentence has it. */
  children: ReactNode;
}

/** A word that leads to its meaning. */
export function Term({ of, children }: Props) {
  return (
    <Link to="/docs/$" params={{ _splat: "glossary" }} hash={anchorOf(of)}>
      {children}
    </Link>
  );
}
