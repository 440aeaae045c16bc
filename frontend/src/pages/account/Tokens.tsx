import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { tokens } from "../../api/queries";
import type { Token } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Field } from "../../ui/Field";
import { More } from "../../ui/More";
import { Secret } from "../../ui/Secret";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { sessionName } from "../../words/sessions";

export function Tokens() {
  const query = useInfiniteQuery(tokens);
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: (token_id: string) =>
      answer(api.DELETE("/api/me/tokens/{token_id}", { params: { path: { token_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: tokens.queryKey }),
  });
  return (
    <>
      <NewToken />
      <Notice error={revoke.error} />
      <Await query={query} what="tokens">
        {({ pages }) => (
          <Table
            label="Tokens and sessions"
            rows={pages.flatMap((page) => page.items)}
            keyOf={(token) => token.id}
            columns={[
              { name: "name", kind: "heading", show: nameOf },
              {
                name: "kind",
                kind: "badges",
                show: (token) => (
                  <>
                    <Badge tone={token.kind === "api" ? "river" : "calm"}>
                      {token.kind === "api" ? "token" : "session"}
                    </Badge>{" "}
                    {token.is_current && <Badge tone="good">this session</Badge>}
                  </>
                ),
              },
              { name: "created", show: (token) => <Moment at={token.created_at} /> },
              { name: "expires", show: (token) => <Moment at={token.expires_at} /> },
              {
                name: "revoke",
                kind: "acts",
                show: (token) =>
                  !token.is_current && (
                    <Confirm
                      act="Revoke"
                      title={`Revoke ${nameOf(token)}?`}
                      onConfirm={() => revoke.mutate(token.id)}
                    >
                      Anyone who uses it is signed out at once. You cannot undo this.
                    </Confirm>
                  ),
              },
            ]}
          />
        )}
      </Await>
      <More of={query} />
    </>
  );
}

function nameOf({ kind, name }: Token): string {
  return kind === "session" ? sessionName(name) : name;
}

function NewToken() {
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: () => answer(api.POST("/api/me/tokens", { body: { name, expires_in_days: Number(days) } })),
    onSuccess: async () => {
      setName("");
      await client.invalidateQueries({ queryKey: tokens.queryKey });
    },
  });
  return (
    <FormCard onSubmit={() => create.mutate()}>
      <p>A token lets a script or the lethe command act on your behalf. Lethe shows it only once.</p>
      <Row>
        <Field
          label="Token name"
          required
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.target.value)}
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
        <Button type="submit" look="main" busy={create.isPending}>
          Create token
        </Button>
      </Row>
      <Notice error={create.error} />
      {create.data && <Secret what="token" value={create.data.token} />}
    </FormCard>
  );
}
