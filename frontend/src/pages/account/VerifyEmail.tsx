import { useState } from "react";
import { answer, api } from "../../api/client";
import { Button } from "../../ui/Button";
import { FormCard } from "../../ui/Card";
import { Page } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { secretOfLink } from "./secret";
import { useOwn } from "./useOwn";

/** Where the link in the mail to a new address leads to. A click confirms: what only looks at links does not. */
export function VerifyEmail() {
  const [token] = useState(secretOfLink);
  const verify = useOwn(() => answer(api.POST("/api/email-verifications", { body: { token } })));
  return (
    <Page title="Confirm your e-mail address" narrow>
      <FormCard onSubmit={() => verify.mutate()}>
        {verify.isSuccess ? (
          <p role="status">Your address is verified.</p>
        ) : (
          <>
            <p>Confirm that the address to which we sent the link is yours.</p>
            <Notice error={verify.error} />
            <Button type="submit" look="main" busy={verify.isPending}>
              Confirm the address
            </Button>
          </>
        )}
      </FormCard>
    </Page>
  );
}
