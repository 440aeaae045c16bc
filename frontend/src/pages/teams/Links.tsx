import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { teamInvitations } from "../../api/queries/team";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Field } from "../../ui/Field";
import { Secret } from "../../ui/Secret";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { useTeaming } from "./useTeaming";

/** How a captain lets others in: an offer to somebody by name, or a link. */
export function Links({ name }: { name: string }) {
  return (
    <>
      <ByName name={name} />
      <ByLink name={name} />
      <Valid name={name} />
    </>
  );
}

function ByName({ name }: { name: string }) {
  const [username, setUsername] = useState("");
  const offer = useTeaming(
    () => answer(api.POST("/api/teams/{name}/offers", { params: { path: { name } }, body: { username } })),
    () => setUsername(""),
  );
  return (
    <FormCard onSubmit={() => offer.mutate(undefined)}>
      <Row>
        <Field
          label="Username"
          required
          maxLength={39}
          value={username}
          onChange={(event) => setUsername(event.target.value)}
        />
        <Button type="submit" look="main" busy={offer.isPending}>
          Offer a place
        </Button>
      </Row>
      <Notice error={offer.error} />
    </FormCard>
  );
}

function ByLink({ name }: { name: string }) {
  const [uses, setUses] = useState("1");
  const [days, setDays] = useState("7");
  const [link, setLink] = useState("");
  const make = useTeaming(
    () =>
      answer(
        api.POST("/api/teams/{name}/invitations", {
          params: { path: { name } },
          body: { uses: Number(uses), expires_in_days: Number(days) },
        }),
      ),
    ({ path }) => setLink(location.origin + path),
  );
  return (
    <FormCard onSubmit={() => make.mutate(undefined)}>
      <Row>
        <Field
          label="How many it lets in"
          type="number"
          min={1}
          max={100}
          required
          value={uses}
          onChange={(event) => setUses(event.target.value)}
        />
        <Field
          label="Expires in (days)"
          type="number"
          min={1}
          max={90}
          required
          value={days}
          onChange={(event) => setDays(event.target.value)}
        />
        <Button type="submit" look="main" busy={make.isPending}>
          Make a link
        </Button>
      </Row>
      <Notice error={make.error} />
      {link && <Secret what="link" value={link} />}
    </FormCard>
  );
}

function Valid({ name }: { name: string }) {
  const query = useQuery(teamInvitations(name));
  const revoke = useTeaming((invitation_id: string) =>
    answer(
      api.POST("/api/teams/{name}/invitations/{invitation_id}/revoke", {
        params: { path: { name, invitation_id } },
      }),
    ),
  );
  return (
    <Await query={query} what="links">
      {({ items }) =>
        items.length === 0 ? null : (
          <>
            <Table
              label="Valid links"
              rows={items}
              keyOf={(one) => one.id}
              columns={[
                { name: "made", kind: "heading", show: (one) => <Moment at={one.created_at} /> },
                { name: "used", show: (one) => `${one.used} of ${one.uses}` },
                { name: "expires", show: (one) => <Moment at={one.expires_at} /> },
                {
                  name: "revoke",
                  kind: "acts",
                  show: (one) => (
                    <Confirm
                      act="Revoke"
                      title="Revoke this link?"
                      busy={revoke.isPending && revoke.variables === one.id}
                      onConfirm={() => revoke.mutate(one.id)}
                    >
                      It lets nobody in any more. Whoever joined with it stays.
                    </Confirm>
                  ),
                },
              ]}
            />
            <Notice error={revoke.error} />
          </>
        )
      }
    </Await>
  );
}
