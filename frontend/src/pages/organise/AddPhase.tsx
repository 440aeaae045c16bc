import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { competition } from "../../api/queries/competition";
import { benchmarks } from "../../api/queries/installation";
import type { NewPhase } from "../../api/types";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Choice, Field, MomentField, Tick } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { useCatalogue } from "../../ui/useCatalogue";
import { metricOptions } from "../../words/catalogue";
import { robustnessHint } from "../../words/robustness";
import { fromLocalInput, zone } from "../../words/time";

const KINDS = ["check", "feedback", "final"] as const;
const START = {
  slug: "",
  kind: "feedback",
  benchmark: "",
  opens: "",
  closes: "",
  seeds: "512",
  metric: "", // until one is chosen, the default one
  quota: "5",
  selects: "1",
};

/** A new phase, by its most common settings. `lethe phase create` knows the others. */
export function AddPhase({ slug }: { slug: string }) {
  const { data } = useQuery(benchmarks);
  const catalogue = useCatalogue();
  const [values, setValues] = useState(START);
  const [notebooks, setNotebooks] = useState(false);
  const [robustness, setRobustness] = useState(false);
  const [references, setReferences] = useState(true);
  const [further, setFurther] = useState<string[]>([]);
  const [isHidden, setHidden] = useState<boolean>(); // until it is ticked or not, as the kind has it
  const hidden = isHidden ?? values.kind !== "check";
  const navigate = useNavigate();
  const client = useQueryClient();
  const add = useMutation({
    mutationFn: (body: NewPhase) =>
      answer(api.POST("/api/competitions/{slug}/phases", { params: { path: { slug } }, body })),
    onSuccess: async (made) => {
      setValues(START);
      setNotebooks(false);
      setRobustness(false);
      setReferences(true);
      setFurther([]);
      setHidden(undefined);
      await client.invalidateQueries({ queryKey: competition(slug).queryKey });
      await navigate({ to: "/competitions/$slug/organise", params: { slug }, search: { phase: made.slug } });
    },
  });
  const known = data?.items ?? [];
  const costs = known.find((one) => one.digest === values.benchmark)?.robustness;
  const isFinal = values.kind === "final";
  const bind = (name: keyof typeof START) => ({
    name,
    value: values[name],
    required: true,
    onChange: (event: { target: { value: string } }) => setValues({ ...values, [name]: event.target.value }),
  });
  return (
    <FormCard
      onSubmit={() =>
        add.mutate({
          slug: values.slug,
          kind: KINDS.find((kind) => kind === values.kind) ?? "feedback",
          benchmark: values.benchmark,
          opens_at: fromLocalInput(values.opens),
          closes_at: fromLocalInput(values.closes) ?? "",
          quota_per_day: Number(values.quota),
          notebooks,
          robustness: robustness && Boolean(costs),
          references,
          data_hidden: hidden,
          seeds: Number(values.seeds),
          metric: values.metric || undefined,
          ...(isFinal && { selects: Number(values.selects), further_benchmarks: further }),
        })
      }
    >
      <Row>
        <Field label="Short name" pattern="[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?" {...bind("slug")} />
        <Choice label="Kind" {...bind("kind")} options={KINDS.map((one) => ({ value: one, label: one }))} />
        <Choice
          label="Benchmark"
          {...bind("benchmark")}
          options={[
            { value: "", label: "Choose a benchmark" },
            ...known.map((one) => ({ value: one.digest, label: `${one.title} (${one.digest.slice(0, 8)})` })),
          ]}
        />
        <Choice
          label="Rank by"
          {...bind("metric")}
          value={values.metric || catalogue.default_metric}
          options={metricOptions(catalogue)}
        />
        <MomentField label="Opens at" {...bind("opens")} />
        <MomentField label="Closes at" {...bind("closes")} />
        <Field label="Runs per submission" type="number" min={1} max={10_000} {...bind("seeds")} />
        <Field
          label="Submissions per team per 24 hours"
          type="number"
          min={0}
          max={1000}
          {...bind("quota")}
        />
        {isFinal && <Field label="Entries of a team" type="number" min={1} max={20} {...bind("selects")} />}
      </Row>
      {isFinal && (
        <>
          <p>
            A final takes no uploads. Until it opens or you start it, teams select among their submissions to
            the feedback phases; the best ranked one of a team that selects none is entered. Its board is
            sealed until you publish it.
          </p>
          {known
            .filter((one) => one.digest !== values.benchmark)
            .map((one) => (
              <Tick
                key={one.digest}
                label={`Run entries also on ${one.title} (${one.digest.slice(0, 8)})`}
                checked={further.includes(one.digest)}
                onChange={(event) =>
                  setFurther(
                    event.target.checked
                      ? [...further, one.digest]
                      : further.filter((digest) => digest !== one.digest),
                  )
                }
              />
            ))}
        </>
      )}
      <Tick
        label="Accept notebooks"
        hint="Teams may then also submit notebooks in the Kaggle layout of 2023. Choose a benchmark that supports notebooks."
        checked={notebooks}
        onChange={(event) => setNotebooks(event.target.checked)}
      />
      {costs && (
        <Tick
          label="Read every model under stress"
          hint={robustnessHint(costs, Number(values.seeds))}
          checked={robustness}
          onChange={(event) => setRobustness(event.target.checked)}
        />
      )}
      <Tick
        label="Make reference rows"
        hint="The platform does nothing, and retrains for 5, 10, 20, 50 and 100% of the epochs, for comparison. These runs cost no quota and start when no entry waits. Run times are compared with the full retraining."
        checked={references}
        onChange={(event) => setReferences(event.target.checked)}
      />
      <Tick
        label="Keep this phase's data hidden from participants"
        hint="Participants then see no exception messages, printed output, histograms or provisional scores."
        checked={hidden}
        onChange={(event) => setHidden(event.target.checked)}
      />
      <p>
        Times are in your time zone ({zone()}). You can change the dates and quota later. Everything else is
        fixed.
      </p>
      <Notice error={add.error} />
      <Row>
        <Button type="submit" busy={add.isPending}>
          Add phase
        </Button>
      </Row>
    </FormCard>
  );
}
