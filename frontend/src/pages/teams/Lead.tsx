import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../api/client";
import type { Team } from "../../api/types";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { Moment } from "../../ui/Time";
import { useTeaming } from "./useTeaming";

/** What a captain changes: the team's name, and that another team becomes part of it. */
export function Lead({ of }: { of: Team }) {
  return (
    <>
      <Rename name={of.name} />
      <Merge name={of.name} until={of.terms?.merge_until ?? null} />
    </>
  );
}

function Rename({ name }: { name: string }) {
  const [wanted, setWanted] = useState(name);
  const navigate = useNavigate();
  const rename = useTeaming(
    () => answer(api.PATCH("/api/teams/{name}", { params: { path: { name } }, body: { name: wanted } })),
    (team) => void navigate({ to: "/teams/$name", params: { name: team.name }, replace: true }),
  );
  return (
    <FormCard onSubmit={() => rename.mutate(undefined)}>
      <Row>
        <Field
          label="Name of the team"
          required
          maxLength={39}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        <Button type="submit" busy={rename.isPending} disabled={wanted === name}>
          Rename
        </Button>
      </Row>
      <Notice error={rename.error} />
    </FormCard>
  );
}

function Merge({ name, until }: { name: string; until: string | null }) {
  const [other, setOther] = useState("");
  const offer = useTeaming(
    () => answer(api.POST("/api/teams/{name}/merge", { params: { path: { name } }, body: { team: other } })),
    () => setOther(""),
  );
  if (until === null) return <p>Teams of this competition do not merge.</p>;
  return (
    <FormCard onSubmit={() => offer.mutate(undefined)}>
      <p>
        Another team can become part of yours until <Moment at={until} />, if its captain agrees and both
        together have not submitted more than one team could.
      </p>
      <Row>
        <Field
          label="Team that merges into yours"
          required
          maxLength={39}
          value={other}
          onChange={(event) => setOther(event.target.value)}
        />
        <Button type="submit" look="main" busy={offer.isPending}>
          Offer to merge
        </Button>
      </Row>
      <Notice error={offer.error} />
    </FormCard>
  );
}
