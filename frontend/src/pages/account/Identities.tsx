import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { identities } from "../../api/queries/account";
import { installation } from "../../api/queries/installation";
import type { Me } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { OwnPassword } from "./OwnPassword";

/** Accounts elsewhere with which one signs in here; nothing if there is no provider and never was. */
export function Identities({ of: who }: { of: Me }) {
  const { data: settings } = useQuery(installation);
  const { data: own } = useQuery(identities);
  if (!settings?.sign_in_with.length && !own?.length) return null;
  return (
    <Section title="Other sign-ins">
      <Add who={who} providers={settings?.sign_in_with ?? []} />
      <Own />
    </Section>
  );
}

function Add({ who, providers }: { who: Me; providers: { name: string; title: string }[] }) {
  const [password, setPassword] = useState("");
  const leave = useMutation({
    mutationFn: (provider: string) =>
      answer(api.POST("/api/me/identities", { body: { provider, password } })),
    onSuccess: ({ url }) => window.location.assign(url),
  });
  const [first] = providers;
  if (!first) return null;
  return (
    <FormCard onSubmit={() => leave.mutate(first.name)}>
      <p>Add an account that you have elsewhere, to sign in with it.</p>
      <Row>
        {who.has_password && <OwnPassword value={password} onChange={setPassword} />}
        {providers.map(({ name, title }) => (
          <Button
            key={name}
            busy={leave.isPending || leave.isSuccess}
            {...(name === first.name ? { type: "submit" as const } : { onClick: () => leave.mutate(name) })}
          >
            Add {title}
          </Button>
        ))}
      </Row>
      <Notice error={leave.error} />
    </FormCard>
  );
}

function Own() {
  const query = useQuery(identities);
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: (identity_id: string) =>
      answer(api.DELETE("/api/me/identities/{identity_id}", { params: { path: { identity_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: identities.queryKey }),
  });
  return (
    <>
      <Notice error={remove.error} />
      <Await query={query} what="other sign-ins">
        {(own) =>
          own.length > 0 && (
            <Table
              label="Other sign-ins"
              rows={own}
              keyOf={(one) => one.id}
              columns={[
                { name: "provider", kind: "heading", show: (one) => <bdi>{one.provider}</bdi> },
                {
                  name: "state",
                  kind: "badges",
                  show: (one) => !one.is_configured && <Badge tone="calm">not in use</Badge>,
                },
                { name: "their name for you", show: (one) => <bdi>{one.subject}</bdi> },
                { name: "added", show: (one) => <Moment at={one.created_at} /> },
                {
                  name: "remove",
                  kind: "acts",
                  show: (one) => (
                    <Confirm
                      act="Remove"
                      title={`Remove ${one.provider}?`}
                      onConfirm={() => remove.mutate(one.id)}
                    >
                      You can then no longer sign in with it.
                    </Confirm>
                  ),
                },
              ]}
            />
          )
        }
      </Await>
    </>
  );
}
