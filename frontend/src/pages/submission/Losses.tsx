import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { losses } from "../../api/queries/submission";
import type { Losses as Found } from "../../api/types";
import { Await } from "../../ui/Await";
import { Section } from "../../ui/Page";
import { type Column, Table } from "../../ui/Table";
import { plain } from "../../words/numbers";
import styles from "./Losses.module.css";

const SHOWN = 8; // examples before the rest is unfolded

type Example = Found["examples"][number];
type Label = Found["labels"][number];

/** Where a score is lost, by label and by forget example: only where data are public. */
export function Losses({ id }: { id: string }) {
  const query = useQuery(losses(id));
  return (
    <Section title="Where the loss is">
      <Await query={query} what="the losses">
        {(found) => <Listed id={id} of={found} />}
      </Await>
    </Section>
  );
}

function Listed({ id, of }: { id: string; of: Found }) {
  const worst = of.examples.slice(0, SHOWN);
  const more = of.examples.slice(SHOWN);
  const beside =
    of.retrained_quality === null ? "" : `; a retrained model's earn ${plain(of.retrained_quality)}`;
  return (
    <div className={styles.losses}>
      <p>
        {of.sentence} Its forget examples earn {plain(of.quality)} points on average{beside}, by the formula
        of 2023.{" "}
        <Link to="/docs/$" params={{ _splat: "participant" }} hash="where-the-loss-is">
          How to read this
        </Link>
      </p>
      <h3>Told apart most</h3>
      <Table
        label="Forget examples that are told apart most"
        rows={worst}
        keyOf={keyOf}
        columns={examplesOf(id, of)}
      />
      {more.length > 0 && (
        <details>
          <summary>
            {more.length} more of {of.total} forget examples
          </summary>
          <Table label="More forget examples" rows={more} keyOf={keyOf} columns={examplesOf(id, of)} />
        </details>
      )}
      <h3>By label</h3>
      <Table
        label="Losses by label"
        rows={of.labels}
        keyOf={(row) => String(row.label)}
        columns={labelsOf(of)}
      />
    </div>
  );
}

function keyOf({ example }: Example): string {
  return String(example);
}

function examplesOf(id: string, { examples, retrained_quality: retrained }: Found): Column<Example>[] {
  const pictured = examples.some((one) => one.has_picture);
  const picture: Column<Example> = {
    name: "picture",
    kind: "acts",
    show: ({ example, label, has_picture }) =>
      has_picture && (
        <img
          className={styles.picture}
          src={`/api/submissions/${id}/losses/${example}/picture`}
          alt={`Forget example ${example}, of label ${label}`}
          loading="lazy"
        />
      ),
  };
  const beside: Column<Example>[] = [
    { name: "ε of retraining", show: ({ retrained_epsilon: epsilon }) => plain(epsilon) },
    { name: "points of retraining", show: ({ retrained_quality: quality }) => plain(quality) },
  ];
  return [
    ...(pictured ? [picture] : []),
    { name: "example", kind: "heading", show: ({ example }) => example },
    { name: "label", show: ({ label }) => label },
    { name: "ε", show: ({ epsilon }) => plain(epsilon) },
    { name: "points", show: ({ quality }) => plain(quality) },
    ...(retrained === null ? [] : beside),
  ];
}

function labelsOf({ retrained_quality: retrained }: Found): Column<Label>[] {
  const beside: Column<Label> = {
    name: "points of retraining",
    show: ({ retrained_quality: quality }) => plain(quality),
  };
  return [
    { name: "label", kind: "heading", show: ({ label }) => label },
    { name: "forget examples", show: ({ examples }) => examples },
    { name: "points", show: ({ quality }) => plain(quality) },
    ...(retrained === null ? [] : [beside]),
  ];
}
