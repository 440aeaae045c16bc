import styles from "./Picture.module.css";

interface Model {
  title: string;
  words: string;
  /** How surely these models recognise the examples: where most stand, and how widely they spread. */
  at: number;
  spread: number;
  tone: "was" | "goal" | "entry";
}

const GOAL = { at: 0.36, spread: 0.09 };
const MODELS: readonly Model[] = [
  {
    title: "The original model",
    words: "It has seen the examples, and recognises nearly all.",
    at: 0.88,
    spread: 0.045,
    tone: "was",
  },
  {
    title: "Trained again without them",
    words: "Hundreds of models that never saw them. This is the goal.",
    ...GOAL,
    tone: "goal",
  },
  {
    title: "An entry that forgot too little",
    words: "Low score: it still knows more than it should.",
    at: 0.64,
    spread: 0.09,
    tone: "entry",
  },
  {
    title: "An entry that forgot well",
    words: "High score: nobody can tell it from the goal.",
    at: 0.375,
    spread: 0.095,
    tone: "entry",
  },
  {
    title: "An entry that overdid it",
    words: "Low score: it is so wrong that it shows.",
    at: 0.1,
    spread: 0.05,
    tone: "entry",
  },
];

const WIDTH = 400;
const HEIGHT = 56;
const STEPS = 100;

/** Where the original, retrained models and three kinds of entries stand, one below the other. */
export function Picture() {
  return (
    <figure className={styles.picture}>
      <figcaption>How surely do models recognise the examples that are to be forgotten?</figcaption>
      <ul>
        {MODELS.map((model) => (
          <li key={model.title}>
            <p>
              <strong>{model.title}</strong>
              <span>{model.words}</span>
            </p>
            <Strip of={model} />
          </li>
        ))}
      </ul>
      <p className={styles.ends} aria-hidden="true">
        <span>← hardly</span>
        <span>surely →</span>
      </p>
    </figure>
  );
}

/** One hump, above the outline of the goal. */
function Strip({ of: { at, spread, tone } }: { of: Model }) {
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      className={styles[tone]}
      aria-hidden="true"
    >
      <path d={hump(at, spread)} className={styles.hump} />
      {tone === "entry" && <path d={hump(GOAL.at, GOAL.spread)} className={styles.outline} />}
      <line x1="0" x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} className={styles.ground} />
    </svg>
  );
}

function hump(at: number, spread: number): string {
  const points = Array.from({ length: STEPS + 1 }, (_, step) => {
    const x = step / STEPS;
    const y = Math.exp(-(((x - at) / spread) ** 2) / 2);
    return `${(x * WIDTH).toFixed(1)} ${(HEIGHT - 1 - y * (HEIGHT - 6)).toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}
