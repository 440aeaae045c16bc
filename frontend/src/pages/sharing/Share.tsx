import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Cited, citation } from "../../api/citations";
import type { Entry } from "../../api/types";
import { Await } from "../../ui/Await";
import { Row } from "../../ui/Card";
import { Code } from "../../ui/Code";
import { Copy } from "../../ui/Copy";
import { Choice } from "../../ui/Field";
import styles from "./Share.module.css";

/** A competition's address, and how it is cited. */
export function ShareCompetition({ slug }: { slug: string }) {
  return (
    <Share path={`/competitions/${slug}`}>
      <Citation of={{ slug }} />
    </Share>
  );
}

/** The address of a shared submission, and how it is cited. */
export function ShareSubmission({ id }: { id: string }) {
  return (
    <Share path={`/shared/${id}`}>
      <Citation of={{ shared: id }} />
    </Share>
  );
}

interface ShareBoardProps {
  slug: string;
  phase: string;
  entries: readonly Entry[];
}

/** A leaderboard's address, and how one of its entries is cited. */
export function ShareBoard({ slug, phase, entries }: ShareBoardProps) {
  const teams = entries.filter(({ reference }) => reference === "none").map(({ entry }) => entry);
  const [chosen, setChosen] = useState("");
  const team = chosen || teams[0];
  return (
    <Share path={`/competitions/${slug}/leaderboard?phase=${phase}`}>
      {team && (
        <>
          <div className={styles.choice}>
            <Choice
              label="Entry to cite"
              value={team}
              onChange={(event) => setChosen(event.target.value)}
              options={teams.map((name) => ({ value: name, label: name }))}
            />
          </div>
          <Citation of={{ slug, phase, team }} />
        </>
      )}
    </Share>
  );
}

/** Citations load once somebody wants to see them. */
function Share({ path, children }: { path: string; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <details className={styles.share} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Share and cite</summary>
      {open && (
        <div>
          <Row>
            <Copy text={location.origin + path} what="Copy the link" />
          </Row>
          {children}
        </div>
      )}
    </details>
  );
}

function Citation({ of }: { of: Cited }) {
  return (
    <Await query={useQuery(citation(of))} what="the citation">
      {({ bibtex, addresses }) => (
        <>
          <Code text={bibtex.trimEnd()} wide />
          <p>
            For reference managers:{" "}
            <a href={addresses.bib} download="citation.bib">
              BibTeX
            </a>
            ,{" "}
            <a href={addresses.cff} download="CITATION.cff">
              CITATION.cff
            </a>
          </p>
        </>
      )}
    </Await>
  );
}
