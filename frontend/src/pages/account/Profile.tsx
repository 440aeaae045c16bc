import { useState } from "react";
import { answer, api } from "../../api/client";
import type { Me } from "../../api/types";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Field, Tick } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { useOwn } from "./useOwn";

/** Who one is, apart from the username. */
export function Profile({ of: { profile, preferences } }: { of: Me }) {
  const [name, setName] = useState(profile.display_name);
  const [affiliation, setAffiliation] = useState(profile.affiliation);
  const [link, setLink] = useState(profile.link);
  const [shown, setShown] = useState(preferences.shown_in_teams);
  const save = useOwn(() =>
    answer(api.PATCH("/api/me", { body: { display_name: name, affiliation, link, shown_in_teams: shown } })),
  );
  return (
    <FormCard onSubmit={() => save.mutate()}>
      <p>All of it is optional. Leaderboards show your team&apos;s name only.</p>
      <Row>
        <Field
          label="Display name"
          maxLength={100}
          autoComplete="name"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Field
          label="Affiliation"
          maxLength={200}
          autoComplete="organization"
          value={affiliation}
          onChange={(event) => setAffiliation(event.target.value)}
        />
        <Field
          label="Link"
          type="url"
          pattern="https?://.*"
          title="Begin with https:// or http://."
          maxLength={500}
          value={link}
          onChange={(event) => setLink(event.target.value)}
        />
      </Row>
      <Tick
        label="Show me on the pages of my teams"
        hint="Strangers then see your username and this profile. Members of your teams and organisers see your username in any case, and the name of your own team is your username."
        checked={shown}
        onChange={(event) => setShown(event.target.checked)}
      />
      <Notice error={save.error} />
      <Row>
        <Button type="submit" look="main" busy={save.isPending}>
          Save the profile
        </Button>
        {save.isSuccess && <p role="status">Saved.</p>}
      </Row>
    </FormCard>
  );
}
