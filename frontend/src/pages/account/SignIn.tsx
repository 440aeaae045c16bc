import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import { installation } from "../../api/queries/installation";
import { Page } from "../../ui/Page";
import { CredentialsForm } from "./CredentialsForm";
import { Providers } from "./Providers";

export function SignIn() {
  const { back } = useSearch({ from: "/sign-in" });
  const { data: settings } = useQuery(installation);
  return (
    <Page title="Sign in" narrow>
      <CredentialsForm act="Sign in" send={(body) => answer(api.POST("/api/sessions", { body }))} back={back}>
        <Providers back={back} />
        <p>
          <Link to="/forgot-password">Forgot your password?</Link>
        </p>
        {settings?.sign_up_open === false ? (
          <p>Sign-up is closed. Ask the operator for an account.</p>
        ) : (
          <p>
            New here?{" "}
            <Link to="/sign-up" search={{ back }} hash={true}>
              Create an account
            </Link>
          </p>
        )}
      </CredentialsForm>
    </Page>
  );
}
