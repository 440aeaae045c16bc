import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { Button, buttonLook } from "../../ui/Button";
import { Card, FormCard } from "../../ui/Card";
import { Page } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { NewPassword } from "./OwnPassword";
import { secretOfLink } from "./secret";

/** Where a link of a mail, or of an operator, leads to. */
export function ResetPassword() {
  const [token] = useState(secretOfLink);
  const [chosen, setChosen] = useState("");
  const reset = useMutation({
    mutationFn: () => answer(api.POST("/api/password-resets/use", { body: { token, new_password: chosen } })),
  });
  return (
    <Page title="Set a new password" narrow>
      {reset.isSuccess ? (
        <Card>
          <p role="status">Your password is set, and all sessions have ended. Tokens stay.</p>
          <Link to="/sign-in" className={buttonLook("main")}>
            Sign in
          </Link>
        </Card>
      ) : (
        <FormCard onSubmit={() => reset.mutate()}>
          <NewPassword value={chosen} onChange={setChosen} />
          <Notice error={reset.error} />
          <Button type="submit" look="main" busy={reset.isPending}>
            Set the password
          </Button>
        </FormCard>
      )}
    </Page>
  );
}
