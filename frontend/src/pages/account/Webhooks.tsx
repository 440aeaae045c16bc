import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { webhooks } from "../../api/queries/account";
import { refresh } from "../../api/queries/keys";
import type { Webhook } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Field } from "../../ui/Field";
import { Secret } from "../../ui/Secret";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";

/** Addresses that are called when something happens to somebody's submissions and competitions. */
export function Webhooks() {
  const query = useQuery(webhooks);
  const client = useQueryClient();
  const changed = { onSuccess: () => refresh(client, "hooking") };
  const remove = useMutation({
    mutationFn: (webhook_id: string) =>
      answer(api.DELETE("/api/me/webhooks/{webhook_id}", { params: { path: { webhook_id } } })),
    ...changed,
  });
  const test = useMutation({
    mutationFn: (webhook_id: string) =>
      answer(api.POST("/api/me/webhooks/{webhook_id}/test", { params: { path: { webhook_id } } })),
    ...changed,
  });
  return (
    <>
      <NewWebhook />
      <Notice error={remove.error ?? test.error} />
      {test.isSuccess && (
        <p role="status">
          The test call is made within seconds; `lethe webhook calls` shows what came of it.
        </p>
      )}
      <Await query={query} what="webhooks">
        {({ items }) =>
          items.length > 0 && (
            <Table
              label="Webhooks"
              rows={items}
              keyOf={(hook: Webhook) => hook.id}
              columns={[
                {
                  name: "address",
                  kind: "heading",
                  show: (hook) => (
                    <>
                      {hook.url} {hook.disabled_at && <Badge tone="calm">disabled</Badge>}
                    </>
                  ),
                },
                { name: "called for", show: (hook) => hook.kinds.join(", ") },
                { name: "added", show: (hook) => <Moment at={hook.created_at} /> },
                {
                  name: "acts",
                  kind: "acts",
                  show: (hook) => (
                    <>
                      <Button onClick={() => test.mutate(hook.id)}>Call it with a test</Button>
                      <Confirm
                        act="Remove"
                        title={`Remove ${hook.url}?`}
                        onConfirm={() => remove.mutate(hook.id)}
                      >
                        It is not called any more.
                      </Confirm>
                    </>
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

function NewWebhook() {
  const [url, setUrl] = useState("");
  const client = useQueryClient();
  const add = useMutation({
    mutationFn: () => answer(api.POST("/api/me/webhooks", { body: { url } })),
    onSuccess: async () => {
      setUrl("");
      await refresh(client, "hooking");
    },
  });
  return (
    <FormCard onSubmit={() => add.mutate()}>
      <p>Lethe calls the address when something happens, and signs each call.</p>
      <Row>
        <Field
          label="Address"
          type="url"
          required
          maxLength={500}
          placeholder="https://"
          value={url}
          onChange={(event) => setUrl(event.target.value)}
        />
        <Button type="submit" busy={add.isPending}>
          Add the webhook
        </Button>
      </Row>
      <Notice error={add.error} />
      {add.data && <Secret what="secret" value={add.data.secret} />}
    </FormCard>
  );
}
