import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { invitations } from "../../api/queries/competition";
import type { Invitation } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Field } from "../../ui/Field";
import { More } from "../../ui/More";
import { useNow } from "../../ui/now";
import { Secret } from "../../ui/Secret";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { isolated } from "../../words/isolated";
import { usePeopling } from "./usePeopling";

interface Props {
  slug: string;
  organises: boolean;
}

/** The codes that admit people while registration is by invitation. A code itself is shown only once. */
export function Invitations({ slug, organises }: Props) {
  const query = useInfiniteQuery(invitations(slug));
  const now = useNow(60_000);
  const revoke = usePeopling((invitation_id: string) =>
    answer(
      api.POST("/api/competitions/{slug}/invitations/{invitation_id}/revoke", {
        params: { path: { slug, invitation_id } },
      }),
    ),
  );
  return (
    <>
      {organises && <Invite slug={slug} />}
      <Notice error={revoke.error} />
      <Await query={query} what="invitations">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0) return <p>There are no invitations.</p>;
          return (
            <Table
              label="Invitations"
              rows={items}
              keyOf={(one) => one.id}
              columns={[
                { name: "for", kind: "heading", show: (one) => <bdi>{one.name}</bdi> },
                { name: "state", kind: "badges", show: (one) => <State of={one} now={now} /> },
                { name: "used", show: (one) => `${one.used} of ${one.uses}` },
                { name: "expires", show: (one) => <Moment at={one.expires_at} /> },
                {
                  name: "revoke",
                  kind: "acts",
                  show: (one) =>
                    organises &&
                    one.revoked_at === null && (
                      <Confirm
                        act="Revoke"
                        title={`Revoke the invitation for ${isolated(one.name)}?`}
                        busy={revoke.isPending && revoke.variables === one.id}
                        onConfirm={() => revoke.mutate(one.id)}
                      >
                        Its code admits nobody more. Whom it admitted stays. You cannot undo this.
                      </Confirm>
                    ),
                },
              ]}
            />
          );
        }}
      </Await>
      <More of={query} />
    </>
  );
}

function State({ of, now }: { of: Invitation; now: number }) {
  if (of.revoked_at) return <Badge tone="bad">revoked</Badge>;
  if (Date.parse(of.expires_at) <= now) return <Badge>expired</Badge>;
  return of.used < of.uses ? <Badge tone="good">valid</Badge> : <Badge>used up</Badge>;
}

function Invite({ slug }: { slug: string }) {
  const [name, setName] = useState("");
  const [uses, setUses] = useState("1");
  const [days, setDays] = useState("30");
  const [code, setCode] = useState("");
  const invite = usePeopling(
    async () => {
      const made = await answer(
        api.POST("/api/competitions/{slug}/invitations", {
          params: { path: { slug } },
          body: { name, uses: Number(uses), expires_in_days: Number(days) },
        }),
      );
      setCode(made.code);
    },
    () => setName(""),
  );
  return (
    <FormCard onSubmit={() => invite.mutate(undefined)}>
      <p>A code admits people while registration is by invitation.</p>
      <Row>
        <Field
          label="Whom it is for"
          required
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Field
          label="How many it admits"
          type="number"
          min={1}
          max={10_000}
          required
          value={uses}
          onChange={(event) => setUses(event.target.value)}
        />
        <Field
          label="Expires in (days)"
          type="number"
          min={1}
          max={366}
          required
          value={days}
          onChange={(event) => setDays(event.target.value)}
        />
        <Button type="submit" look="main" busy={invite.isPending}>
          Make a code
        </Button>
      </Row>
      <Notice error={invite.error} />
      {code && <Secret what="code" value={code} />}
    </FormCard>
  );
}
