import { buttonLook } from "../../ui/Button";
import { Section } from "../../ui/Page";
import { useCompetition, usePhase } from "./context";
import styles from "./StartingKit.module.css";

const MODULE = `def unlearning(net, retain_loader, forget_loader, val_loader):
    """Make net forget the forget set: change it in place, or return a model of the same architecture."""
    for images, labels in retain_loader:
        ...`;

export function StartingKit() {
  const { slug } = useCompetition();
  const phase = usePhase();
  return (
    <div className={styles.kit}>
      <p>An entry is one function. Lethe calls it once per seed, each time in a fresh process.</p>
      <pre>
        <code>{MODULE}</code>
      </pre>
      <p>
        <a href="/api/starting-kit" download className={buttonLook("main")}>
          Download the starting kit
        </a>
      </p>
      <Section title="On your machine">
        <p>The same sandbox and the same numbers as here:</p>
        <pre>
          <code>{`lethe evaluate my_unlearning.py --benchmark ${phase?.benchmark.name ?? "NAME"} --seeds 64`}</code>
        </pre>
        <p>And from there to the board:</p>
        <pre>
          <code>{`lethe submit my_unlearning.py --competition ${slug} --phase ${phase?.slug ?? "PHASE"} --wait`}</code>
        </pre>
      </Section>
    </div>
  );
}
