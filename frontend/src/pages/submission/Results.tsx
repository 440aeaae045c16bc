import type { Submission } from "../../api/types";
import { buttonLook } from "../../ui/Button";
import { Row } from "../../ui/Card";
import { Section } from "../../ui/Page";

/** Everything to take along: the file itself and, where data are public, all that was measured. */
export function Results({ of }: { of: Submission }) {
  const at = `/api/submissions/${of.id}`;
  const links = [
    { name: "Submitted file", to: `${at}/upload`, there: true, as: "" },
    { name: "Scores (JSON)", to: at, there: of.score !== null, as: `scores-${of.id}.json` },
    { name: "Runs (CSV)", to: `${at}/runs.csv`, there: of.has_runs, as: "" },
    { name: "Measurements", to: `${at}/measurements`, there: of.has_measurements, as: "" },
  ];
  return (
    <Section title="Downloads">
      <Row>
        {links
          .filter((link) => link.there)
          .map((link) => (
            <a key={link.name} href={link.to} download={link.as} className={buttonLook()}>
              {link.name}
            </a>
          ))}
      </Row>
      {of.has_measurements && (
        <p>
          Score the measurements on your machine:{" "}
          <code>lethe score {of.id}.safetensors --oracle BENCHMARK</code>
        </p>
      )}
    </Section>
  );
}
