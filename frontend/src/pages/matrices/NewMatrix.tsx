import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { benchmarks } from "../../api/queries/installation";
import { refresh } from "../../api/queries/keys";
import { allSubmissions } from "../../api/queries/submission";
import type { NewMatrix as Body, Phase } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Field, Tick } from "../../ui/Field";
import { More } from "../../ui/More";
import { Notice } from "../../ui/states";

const MOST = 100;

/** Choose entries of a phase and benchmarks, and run each on each. */
export function NewMatrix({ phase }: { phase: Phase }) {
  const slug = phase.competition;
  const [title, setTitle] = useState("");
  const [seeds, setSeeds] = useState(String(phase.seeds));
  const [entries, setEntries] = useState<string[]>([]);
  const [chosen, setChosen] = useState<string[]>([]);
  const known = useQuery(benchmarks);
  const scored = useInfiniteQuery(allSubmissions(slug, { phase: phase.slug, state: "scored" }));
  const navigate = useNavigate();
  const client = useQueryClient();
  const start = useMutation({
    mutationFn: (body: Body) =>
      answer(
        api.POST("/api/competitions/{slug}/phases/{phase}/matrices", {
          params: { path: { slug, phase: phase.slug } },
          body,
        }),
      ),
    onSuccess: async (made) => {
      await refresh(client, "matrices");
      await navigate({
        to: "/competitions/$slug/organise/matrices",
        params: { slug },
        search: { phase: phase.slug, matrix: made.id },
      });
    },
  });
  const runs = entries.length * chosen.length;
  return (
    <FormCard onSubmit={() => start.mutate({ title, entries, benchmarks: chosen, seeds: Number(seeds) })}>
      <Row>
        <Field
          label="What it is for"
          required
          maxLength={200}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
        <Field
          label="Runs of each entry"
          type="number"
          min={1}
          max={10_000}
          required
          value={seeds}
          onChange={(event) => setSeeds(event.target.value)}
        />
      </Row>
      <fieldset>
        <legend>Entries of {phase.slug} that are scored</legend>
        <Await query={scored} what="entries">
          {({ pages }) =>
            pages
              .flatMap((page) => page.items)
              .map((one) => (
                <Tick
                  key={one.id}
                  label={`${one.team}: ${one.name}`}
                  checked={entries.includes(one.id)}
                  onChange={(event) => setEntries(toggled(entries, one.id, event.target.checked))}
                />
              ))
          }
        </Await>
        <More of={scored} />
      </fieldset>
      <fieldset>
        <legend>Benchmarks</legend>
        <Await query={known} what="benchmarks">
          {({ items }) =>
            items.map((one) => (
              <Tick
                key={one.digest}
                label={`${one.title} (${one.digest.slice(0, 8)})`}
                checked={chosen.includes(one.digest)}
                onChange={(event) => setChosen(toggled(chosen, one.digest, event.target.checked))}
              />
            ))
          }
        </Await>
      </fieldset>
      <p role="status">
        {runs} of at most {MOST} evaluations.
      </p>
      <Notice error={start.error} />
      <Row>
        <Button type="submit" look="main" busy={start.isPending} disabled={runs === 0 || runs > MOST}>
          Start the matrix
        </Button>
      </Row>
    </FormCard>
  );
}

function toggled(all: readonly string[], one: string, on: boolean): string[] {
  return on ? [...all, one] : all.filter((other) => other !== one);
}
