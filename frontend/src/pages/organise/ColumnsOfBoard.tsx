import { Button } from "../../ui/Button";
import { Row } from "../../ui/Card";
import { Choice } from "../../ui/Field";
import { useCatalogue } from "../../ui/useCatalogue";
import { chosenColumn, columnOptions, suiteTitle } from "../../words/catalogue";
import styles from "./Organise.module.css";

const MOST = 12;

interface Props {
  label: string;
  hint: string;
  chosen: readonly string[];
  disabled: boolean;
  onChange: (chosen: string[]) => void;
}

/** Which secondary columns a leaderboard shows, in which order. */
export function ColumnsOfBoard({ label, hint, chosen, disabled, onChange }: Props) {
  const catalogue = useCatalogue();
  const left = columnOptions(catalogue).filter(({ value }) => !chosen.includes(value));
  return (
    <fieldset className={styles.choices} disabled={disabled}>
      <legend>{label}</legend>
      <p>{hint}</p>
      {chosen.length > 0 && (
        <ol>
          {chosen.map((one, place) => {
            const { suite, info } = chosenColumn(catalogue, one);
            return (
              <li key={one}>
                {suiteTitle(catalogue, suite)}: {info.title}{" "}
                {!disabled && (
                  <Row>
                    {place > 0 && (
                      <Button
                        aria-label={`Move ${info.title} forward`}
                        onClick={() => onChange(forward(chosen, place))}
                      >
                        Forward
                      </Button>
                    )}
                    <Button
                      aria-label={`Remove ${info.title}`}
                      onClick={() => onChange(chosen.filter((other) => other !== one))}
                    >
                      Remove
                    </Button>
                  </Row>
                )}
              </li>
            );
          })}
        </ol>
      )}
      {!disabled && chosen.length < MOST && (
        <Choice
          label="Add a column"
          value=""
          onChange={(event) => event.target.value && onChange([...chosen, event.target.value])}
          options={[{ value: "", label: "Choose a column" }, ...left]}
        />
      )}
    </fieldset>
  );
}

/** The same, with one of them a place nearer to the front. */
function forward(chosen: readonly string[], place: number): string[] {
  const moved = [...chosen];
  const [one] = moved.splice(place, 1);
  if (one !== undefined) moved.splice(place - 1, 0, one);
  return moved;
}
