import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { installation } from "../../api/queries/installation";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { Card, FormCard } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Page } from "../../ui/Page";
import { Empty, Notice } from "../../ui/states";

/** Asks for a link. What it answers tells nothing about who has an account. */
export function ForgotPassword() {
  const query = useQuery(installation);
  return (
    <Page title="Forgot your password?" narrow>
      <Await query={query} what="whether mail can be sent">
        {({ sends_mail }) =>
          sends_mail ? (
            <Ask />
          ) : (
            <Empty title="This installation sends no mail">
              Ask its operator for a link with which you set a new password.
            </Empty>
          )
        }
      </Await>
    </Page>
  );
}

function Ask() {
  const [name, setName] = useState("");
  const ask = useMutation({ mutationFn: () => answer(api.POST("/api/password-resets", { body: { name } })) });
  if (ask.isSuccess)
    return (
      <Card>
        <p role="status">
          If there is such an account with a verified address, a mail with a link is on its way to it. The
          link works once, within an hour. Without a verified address, ask the operator for a link.
        </p>
      </Card>
    );
  return (
    <FormCard onSubmit={() => ask.mutate()}>
      <Field
        label="Username or e-mail address"
        autoComplete="username"
        autoCapitalize="none"
        required
        maxLength={254}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <Notice error={ask.error} />
      <Button type="submit" look="main" busy={ask.isPending}>
        Send a link
      </Button>
    </FormCard>
  );
}
