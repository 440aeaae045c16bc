import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { final } from "../../api/queries/final";
import { refresh } from "../../api/queries/keys";
import type { FinalMark, Submission } from "../../api/types";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Tick } from "../../ui/Field";
import { Notice } from "../../ui/states";

/** Enters a scored submission into each final that it can enter, or takes it back. */
export function EnterFinals({ of }: { of: Submission }) {
  if (!of.rights.withdraws || !of.score) return null;
  return of.finals
    .filter((one) => one.is_open)
    .map((one) => <EnterFinal key={one.phase} of={of} into={one} />);
}

function EnterFinal({ of, into }: { of: Submission; into: FinalMark }) {
  const client = useQueryClient();
  const params = { path: { slug: of.competition, phase: into.phase, submission_id: of.id } };
  const PATH = "/api/competitions/{slug}/phases/{phase}/final/selection/{submission_id}" as const;
  const { data } = useQuery(final({ slug: of.competition, phase: into.phase }));
  const licence = data?.code_licence ?? null;
  const [agreed, setAgreed] = useState(false);
  const query = agreed && licence !== null ? { licence } : {};
  const change = useMutation({
    mutationFn: () =>
      answer(into.selected ? api.DELETE(PATH, { params }) : api.PUT(PATH, { params: { ...params, query } })),
    onSettled: () => refresh(client, "final"),
  });
  return (
    <>
      <Notice error={change.error} />
      {licence !== null && !into.selected && into.licence !== licence && (
        <Tick
          label={`Its code may be published under ${licence} if it wins`}
          hint={data?.code_licence_required ? "Without this it cannot enter." : "You may also agree later."}
          checked={agreed}
          onChange={(event) => setAgreed(event.target.checked)}
        />
      )}
      <Button
        look={into.selected ? undefined : "main"}
        busy={change.isPending}
        onClick={() => change.mutate()}
      >
        {into.selected ? `Take it back from ${into.phase}` : `Enter it into ${into.phase}`}
      </Button>
    </>
  );
}

/** The finals that a submission was entered into. */
export function InFinals({ of }: { of: Submission }) {
  return of.finals
    .filter((one) => one.selected || one.entered)
    .map((one) => (
      <Badge key={one.phase} tone="river">
        {one.entered ? `in ${one.phase}` : `selected for ${one.phase}`}
      </Badge>
    ));
}
