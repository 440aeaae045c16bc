import { useState } from "react";
import { addHook, type OwnerOfHooks } from "../../api/queries/hooks";
import type { HappeningKind } from "../../api/types";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Field, Tick } from "../../ui/Field";
import { Secret } from "../../ui/Secret";
import { Notice } from "../../ui/states";
import { HAPPENINGS, happeningInWords } from "../../words/happenings";
import { useHooking } from "./useHooking";
import styles from "./Webhooks.module.css";

/** Adds a webhook, and shows its secret this once. */
export function NewWebhook({ of }: { of: OwnerOfHooks }) {
  const [url, setUrl] = useState("");
  const [kinds, setKinds] = useState<readonly HappeningKind[]>(HAPPENINGS);
  const add = useHooking(async () => {
    const made = await addHook(of, { url, kinds: [...kinds] });
    setUrl("");
    return made;
  });
  return (
    <FormCard onSubmit={() => add.mutate(undefined)}>
      <Field
        label="Address"
        hint="Lethe calls it when something happens, and signs each call."
        type="url"
        required
        maxLength={500}
        placeholder="https://"
        value={url}
        onChange={(event) => setUrl(event.target.value)}
      />
      <fieldset className={styles.kinds}>
        <legend>Call it for</legend>
        {HAPPENINGS.map((kind) => (
          <Tick
            key={kind}
            label={happeningInWords(kind)}
            checked={kinds.includes(kind)}
            onChange={(event) =>
              setKinds(event.target.checked ? [...kinds, kind] : kinds.filter((one) => one !== kind))
            }
          />
        ))}
      </fieldset>
      <Notice error={add.error} />
      <Row>
        <Button type="submit" look="main" busy={add.isPending} disabled={kinds.length === 0}>
          Add the webhook
        </Button>
      </Row>
      {add.data && <Secret what="secret" value={add.data.secret} />}
    </FormCard>
  );
}
