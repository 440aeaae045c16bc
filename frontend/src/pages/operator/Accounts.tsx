import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { accounts } from "../../api/queries/account";
import { refresh } from "../../api/queries/keys";
import type { Role } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Choice, Field } from "../../ui/Field";
import { More } from "../../ui/More";
import { Secret } from "../../ui/Secret";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";

const ROLES = [
  { value: "organiser", label: "Organiser: may create competitions" },
  { value: "operator", label: "Operator: may do everything" },
  { value: "participant", label: "Participant: no role on the platform" },
] as const satisfies readonly { value: Role; label: string }[];

/** Who may create competitions, and who operates the platform. */
export function Accounts() {
  const query = useInfiniteQuery(accounts);
  return (
    <>
      <ChangeRole />
      <Trust />
      <ResetLink />
      <Await query={query} what="accounts">
        {({ pages }) => (
          <Table
            label="Organisers and operators"
            rows={pages.flatMap((page) => page.items)}
            keyOf={(one) => one.id}
            columns={[
              { name: "username", kind: "heading", show: (one) => <bdi>{one.username}</bdi> },
              {
                name: "role",
                kind: "badges",
                show: (one) => (
                  <>
                    <Badge>{one.role}</Badge>
                    {one.publishes_benchmarks && <Badge tone="good">publishes benchmarks</Badge>}
                  </>
                ),
              },
              { name: "account made", show: (one) => <Moment at={one.created_at} /> },
            ]}
          />
        )}
      </Await>
      <More of={query} />
    </>
  );
}

function ChangeRole() {
  const [username, setUsername] = useState("");
  const [role, setRole] = useState<Role>("organiser");
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: () =>
      answer(api.PATCH("/api/admin/accounts/{username}", { params: { path: { username } }, body: { role } })),
    onSuccess: () => setUsername(""),
    onSettled: () => refresh(client, "employing"),
  });
  return (
    <FormCard onSubmit={() => change.mutate()}>
      <p>Competitions that an account owns or helps to run stay so, whatever its role here.</p>
      <Row>
        <Username label="Username" value={username} onChange={setUsername} />
        <Choice
          label="Role on the platform"
          value={role}
          onChange={(event) =>
            setRole(ROLES.find(({ value }) => value === event.target.value)?.value ?? role)
          }
          options={ROLES}
        />
        <Button type="submit" look="main" busy={change.isPending}>
          Change the role
        </Button>
      </Row>
      <Notice error={change.error} />
      {change.data && (
        <p role="status">
          {change.data.username} has the role {change.data.role} now.
        </p>
      )}
    </FormCard>
  );
}

/** Whether an organiser may publish benchmarks that were uploaded. */
function Trust() {
  const [username, setUsername] = useState("");
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (publishes_benchmarks: boolean) =>
      answer(
        api.PATCH("/api/admin/accounts/{username}", {
          params: { path: { username } },
          body: { publishes_benchmarks },
        }),
      ),
    onSettled: () => refresh(client, "employing"),
  });
  return (
    <FormCard onSubmit={() => change.mutate(true)}>
      <p>
        An organiser whom you trust with it publishes uploaded benchmarks without asking you, also their own.
      </p>
      <Row>
        <Username label="Organiser to trust" value={username} onChange={setUsername} />
        <Button type="submit" look="main" busy={change.isPending}>
          Trust with benchmarks
        </Button>
        <Button busy={change.isPending} disabled={username === ""} onClick={() => change.mutate(false)}>
          Take it back
        </Button>
      </Row>
      <Notice error={change.error} />
      {change.data && (
        <p role="status">
          {change.data.username} may {change.data.publishes_benchmarks ? "now" : "not"} publish benchmarks.
        </p>
      )}
    </FormCard>
  );
}

/** A field for the name of an account. */
function Username({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (username: string) => void;
}) {
  return (
    <Field
      label={label}
      required
      maxLength={39}
      autoComplete="off"
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

/** A link for somebody who lost a password. */
function ResetLink() {
  const [username, setUsername] = useState("");
  const make = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/admin/accounts/{username}/reset", { params: { path: { username } } })),
    onSuccess: () => setUsername(""),
  });
  return (
    <FormCard onSubmit={() => make.mutate()}>
      <p>
        Somebody lost a password? Make a link and give it to that person only. It works once, within an hour,
        and is on record.
      </p>
      <Row>
        <Username label="Who lost a password" value={username} onChange={setUsername} />
        <Button type="submit" look="main" busy={make.isPending}>
          Make a link
        </Button>
      </Row>
      <Notice error={make.error} />
      {make.data && <Secret what={`link for ${make.data.username}`} value={make.data.url} />}
    </FormCard>
  );
}
