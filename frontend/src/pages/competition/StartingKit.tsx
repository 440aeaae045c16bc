import { Link } from "@tanstack/react-router";
import { buttonLook } from "../../ui/Button";
import { Code } from "../../ui/Code";
import { Section } from "../../ui/Page";
import { Term } from "../../ui/Term";
import { useCompetition, useSubmitPhase } from "./context";
import { Environment } from "./Environment";
import { PhaseChoice } from "./PhaseChoice";
import styles from "./StartingKit.module.css";

const MODULE = `def unlearning(net, retain_loader, forget_loader, val_loader):
    """Make net forget the forget set: change it in place, or return a model of the same architecture."""
    for images, labels in retain_loader:
        ...`;

export function StartingKit() {
  const { slug } = useCompetition();
  const phase = useSubmitPhase();
  const download = phase
    ? `/api/competitions/${slug}/phases/${phase.slug}/starting-kit`
    : "/api/starting-kit";
  const isSelected = phase?.entered_by === "selection";
  return (
    <div className={styles.kit}>
      <PhaseChoice part="kit" of={phase} />
      <p>
        A <Term of="submission">submission</Term> is one function. Lethe calls it once per{" "}
        <Term of="run">run</Term>, each time in a fresh process and with a different seed.
      </p>
      <pre>
        <code>{MODULE}</code>
      </pre>
      <p>
        <a href={download} download className={buttonLook("main")}>
          Download the starting kit
        </a>
      </p>
      <Section title="On your machine">
        <p>Evaluate your module in the same sandbox and by the same metrics as here:</p>
        <Code
          text={`lethe evaluate my_unlearning.py --benchmark ${phase?.benchmark.name ?? "NAME"} --seeds 64`}
        />
        <p>{isSelected ? "This phase takes no uploads. Enter a scored submission:" : "Submit it:"}</p>
        <Code
          text={[
            `lethe login --url ${location.origin}`,
            isSelected
              ? `lethe select SUBMISSION --phase ${phase.slug}`
              : `lethe submit my_unlearning.py --competition ${slug} --phase ${phase?.slug ?? "PHASE"} --wait`,
          ].join("\n")}
        />
        <p>
          The command <code>lethe</code> comes with the Python distribution <code>lethe-unlearning</code>:{" "}
          <Link to="/docs/$" params={{ _splat: "install" }}>
            what to install
          </Link>
          . More in the{" "}
          <Link to="/docs/$" params={{ _splat: "participant" }}>
            participant's guide
          </Link>
          .
        </p>
      </Section>
      {phase && <Environment name={phase.environment} />}
    </div>
  );
}
