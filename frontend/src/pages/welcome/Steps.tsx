import { Link } from "@tanstack/react-router";
import type { CompetitionDetail } from "../../api/types";
import { Code } from "../../ui/Code";
import { useNow } from "../../ui/now";
import { firstPhase } from "../../words/time";
import styles from "./Welcome.module.css";

/** From nothing to a score, with the commands of one competition. */
export function Steps({ example }: { example: CompetitionDetail | undefined }) {
  const phase = firstPhase(example?.phases ?? [], useNow(60_000));
  const slug = example?.slug ?? "COMPETITION";
  return (
    <ol className={styles.steps}>
      <li>
        <h3>Get the kit</h3>
        <p>
          A module to change, a notebook, and the packages that your code will find. It is filled in with this
          server's address.
        </p>
        {example ? (
          <p>
            <Link to="/competitions/$slug/kit" params={{ slug }}>
              Look at a kit
            </Link>
            : that of {example.title}.
          </p>
        ) : (
          <p>
            <a href="/api/starting-kit" download>
              Download the starting kit
            </a>
          </p>
        )}
      </li>
      <li>
        <h3>Try it</h3>
        <p>
          Score it on your machine with the command that comes with{" "}
          <Link to="/docs/$" params={{ _splat: "install" }}>
            lethe-unlearning
          </Link>
          , or submit it to a check phase, for which you install nothing.
        </p>
        <Code
          text={`lethe evaluate \\
  my_unlearning.py \\
  --benchmark ${phase?.benchmark.name ?? "digits"}`}
        />
      </li>
      <li>
        <h3>Submit</h3>
        <p>
          Drop the file on the page of the competition, or send it from a terminal. Then watch the runs, and
          read the score.
        </p>
        <Code
          text={`lethe submit \\
  my_unlearning.py \\
  --competition ${slug} \\
  --phase ${phase?.slug ?? "PHASE"} --wait`}
        />
        <p>
          <Link to="/docs/$" params={{ _splat: "participant" }}>
            The participant's guide
          </Link>
        </p>
      </li>
    </ol>
  );
}
