import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { deletion } from "../../api/queries/account";
import type { Deletion, Me } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button, buttonLook } from "../../ui/Button";
import { Card, FormCard, Row } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { OwnPassword } from "./OwnPassword";

/** Taking one's data along, and leaving. */
export function Data({ of: who }: { of: Me }) {
  const [leaving, setLeaving] = useState(false);
  return (
    <>
      <Card>
        <p>Download all data of your account as a zip: JSON, and the files of your submissions.</p>
        <Row>
          <a href="/api/me/export" download className={buttonLook()}>
            Download my data
          </a>
          {!leaving && (
            <Button look="danger" onClick={() => setLeaving(true)}>
              Delete my account…
            </Button>
          )}
        </Row>
      </Card>
      {leaving && <Leave who={who} stay={() => setLeaving(false)} />}
    </>
  );
}

function Leave({ who, stay }: { who: Me; stay: () => void }) {
  const query = useQuery(deletion);
  return (
    <Await query={query} what="what a deletion would do">
      {(foreseen) => <Confirmation who={who} foreseen={foreseen} stay={stay} />}
    </Await>
  );
}

function Confirmation({ who, foreseen, stay }: { who: Me; foreseen: Deletion; stay: () => void }) {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => answer(api.POST("/api/me/deletion", { body: { username, password } })),
    onSuccess: async () => {
      await navigate({ to: "/" });
      await client.resetQueries();
    },
  });
  const hindered = foreseen.is_last_operator || foreseen.owned_competitions.length > 0;
  return (
    <FormCard onSubmit={() => remove.mutate()}>
      <h3>What goes</h3>
      <List of={foreseen.goes} />
      <h3>What remains</h3>
      <List of={foreseen.remains} />
      <p>
        You have {foreseen.submissions} submissions; {foreseen.submissions_open} of them wait or run.
      </p>
      {foreseen.is_last_operator && <p>You are the last operator. Make somebody else an operator first.</p>}
      {foreseen.owned_competitions.length > 0 && (
        <p>
          You own <bdi>{foreseen.owned_competitions.join(", ")}</bdi>. Hand each over on its page People
          first.
        </p>
      )}
      {!hindered && (
        <Row>
          <Field
            label={`Your username (${who.account.username})`}
            autoComplete="off"
            autoCapitalize="none"
            required
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
          {who.has_password && <OwnPassword value={password} onChange={setPassword} />}
        </Row>
      )}
      <Notice error={remove.error} />
      <Row>
        <Button onClick={stay}>Keep my account</Button>
        {!hindered && (
          <Button type="submit" look="danger" busy={remove.isPending}>
            Delete my account for ever
          </Button>
        )}
      </Row>
    </FormCard>
  );
}

function List({ of }: { of: string[] }) {
  return (
    <ul>
      {of.map((one) => (
        <li key={one}>{one}</li>
      ))}
    </ul>
  );
}
