import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type OwnerOfHooks, removeHook, testHook, webhooks } from "../../api/queries/hooks";
import type { Webhook } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Card, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Facts } from "../../ui/Facts";
import { Notice } from "../../ui/states";
import { Moment } from "../../ui/Time";
import { kindsInWords } from "../../words/happenings";
import { Calls } from "./Calls";
import { NewWebhook } from "./NewWebhook";
import { useHooking } from "./useHooking";

/** Addresses that are called when something happens: to somebody's submissions, or in a competition to any team. */
export function Webhooks({ of }: { of: OwnerOfHooks }) {
  const query = useQuery(webhooks(of));
  return (
    <>
      <NewWebhook of={of} />
      <Await query={query} what="webhooks">
        {({ items }) => items.map((hook) => <Shown key={hook.id} of={of} hook={hook} />)}
      </Await>
    </>
  );
}

function Shown({ of, hook }: { of: OwnerOfHooks; hook: Webhook }) {
  const [open, setOpen] = useState(false);
  const remove = useHooking(() => removeHook(of, hook.id));
  const test = useHooking(async () => {
    const made = await testHook(of, hook.id);
    setOpen(true);
    return made;
  });
  return (
    <Card>
      <Facts
        of={[
          [
            "Address",
            <span key="url">
              {hook.url} {hook.disabled_at && <Badge tone="warn">disabled</Badge>}
            </span>,
          ],
          ["Called for", kindsInWords(hook.kinds)],
          ["Added", <Moment key="added" at={hook.created_at} />],
        ]}
      />
      {hook.disabled_at && (
        <p>It did not answer for days, so it is not called any more. A test that you make enables it.</p>
      )}
      <Notice error={remove.error ?? test.error} />
      <Row>
        <Button busy={test.isPending} onClick={() => test.mutate(undefined)}>
          Call it with a test
        </Button>
        <Button aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Hide its calls" : "Show its calls"}
        </Button>
        <Confirm
          act="Remove"
          title={`Remove ${hook.url}?`}
          busy={remove.isPending}
          onConfirm={() => remove.mutate(undefined)}
        >
          It is not called any more, and its calls are forgotten.
        </Confirm>
      </Row>
      {open && <Calls of={of} webhook={hook.id} />}
    </Card>
  );
}
