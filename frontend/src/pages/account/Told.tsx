import { useState } from "react";
import { answer, api } from "../../api/client";
import type { HappeningKind, Me } from "../../api/types";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Tick } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { HAPPENINGS, happeningInWords } from "../../words/happenings";
import styles from "./Told.module.css";
import { useOwn } from "./useOwn";

/** What somebody is told of, and by which way. Webhooks have kinds of their own. */
export function Told({ of: { preferences, email } }: { of: Me }) {
  const [mail, setMail] = useState(preferences.mail_wanted);
  const [inApp, setInApp] = useState<readonly HappeningKind[]>(preferences.notice_kinds);
  const [byMail, setByMail] = useState<readonly HappeningKind[]>(preferences.mail_kinds);
  const save = useOwn(() =>
    answer(
      api.PATCH("/api/me", {
        body: { mail_wanted: mail, notice_kinds: [...inApp], mail_kinds: [...byMail] },
      }),
    ),
  );
  const way = (
    name: string,
    [chosen, choose]: readonly [readonly HappeningKind[], (kinds: readonly HappeningKind[]) => void],
    disabled = false,
  ) => ({
    name,
    show: (kind: HappeningKind) => (
      <input
        type="checkbox"
        className={styles.box}
        aria-label={`${happeningInWords(kind)}: ${name}`}
        disabled={disabled}
        checked={chosen.includes(kind)}
        onChange={(event) =>
          choose(event.target.checked ? [...chosen, kind] : chosen.filter((one) => one !== kind))
        }
      />
    ),
  });
  return (
    <FormCard onSubmit={() => save.mutate()}>
      <Tick
        label="Send me mail about my competitions"
        hint={
          email?.verified
            ? "Mail about your password and address is sent in any case."
            : "Mail goes to a verified address only. Give yours under E-mail."
        }
        checked={mail}
        onChange={(event) => setMail(event.target.checked)}
      />
      <div className={styles.told}>
        <Table
          label="What you are told"
          rows={HAPPENINGS}
          keyOf={(kind) => kind}
          columns={[
            { name: "tell me when", kind: "heading", className: styles.kind, show: happeningInWords },
            way("in Notices", [inApp, setInApp]),
            way("by mail", [byMail, setByMail], !mail),
          ]}
        />
      </div>
      <p>What a webhook is called for is chosen with each webhook, below.</p>
      <Notice error={save.error} />
      <Row>
        <Button type="submit" look="main" busy={save.isPending}>
          Save what I am told
        </Button>
        {save.isSuccess && <p role="status">Saved.</p>}
      </Row>
    </FormCard>
  );
}
