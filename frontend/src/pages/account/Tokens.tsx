import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { tokens } from "../../api/queries/account";
import type { Scope, Token } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Field, Tick } from "../../ui/Field";
import { More } from "../../ui/More";
import { Secret } from "../../ui/Secret";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { sessionName } from "../../words/sessions";
import styles from "./Tokens.module.css";

const SCOPES = [
  { scope: "read", hint: "Read whatever you can read." },
  { scope: "submit", hint: "Submit, cancel, withdraw, select and register." },
  { scope: "organise", hint: "Change competitions that you run, and create them." },
  { scope: "operate", hint: "Change what operators change." },
] as const satisfies readonly { scope: Scope; hint: string }[];

export function Tokens() {
  const query = useInfiniteQuery(tokens);
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: (token_id: string) =>
      answer(api.DELETE("/api/me/tokens/{token_id}", { params: { path: { token_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: tokens.queryKey }),
  });
  const endOthers = useMutation({
    mutationFn: () => answer(api.POST("/api/me/sessions/end-others")),
    onSuccess: () => client.invalidateQueries({ queryKey: tokens.queryKey }),
  });
  return (
    <>
      <NewToken />
      <Notice error={revoke.error ?? endOthers.error} />
      <Row>
        <Confirm
          act="End all other sessions"
          title="End all other sessions?"
          busy={endOthers.isPending}
          onConfirm={() => endOthers.mutate()}
        >
          Every browser and command that is logged in as you, but this one, is signed out. Tokens stay.
        </Confirm>
        {endOthers.data && <p role="status">Sessions ended: {endOthers.data.ended}.</p>}
      </Row>
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
              {
                name: "may",
                show: (token) => (token.kind === "session" ? "everything" : token.scopes.join(", ")),
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
  const [scopes, setScopes] = useState<Scope[]>(["read", "submit"]);
  const client = useQueryClient();
  const create = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/me/tokens", { body: { name, expires_in_days: Number(days), scopes } })),
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
      </Row>
      <fieldset className={styles.scopes}>
        <legend>What it may do, if your account may</legend>
        {SCOPES.map(({ scope, hint }) => (
          <Tick
            key={scope}
            label={scope}
            hint={hint}
            checked={scopes.includes(scope)}
            onChange={(event) =>
              setScopes(event.target.checked ? [...scopes, scope] : scopes.filter((one) => one !== scope))
            }
          />
        ))}
      </fieldset>
      <Row>
        <Button type="submit" look="main" busy={create.isPending} disabled={scopes.length === 0}>
          Create token
        </Button>
      </Row>
      <Notice error={create.error} />
      {create.data && <Secret what="token" value={create.data.token} />}
    </FormCard>
  );
}
