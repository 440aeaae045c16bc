import { useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import { installation } from "../../api/queries/installation";
import { Await } from "../../ui/Await";
import { buttonLook } from "../../ui/Button";
import { Page } from "../../ui/Page";
import { Empty } from "../../ui/states";
import type { Credentials } from "./CredentialsForm";
import { CredentialsForm } from "./CredentialsForm";
import { Providers } from "./Providers";

export function SignUp() {
  const query = useQuery(installation);
  return (
    <Page title="Create an account" lead="You also get a team of one with the same name." narrow>
      <Await query={query} what="whether sign-up is open">
        {({ sign_up_open }) => (sign_up_open ? <NewAccount /> : <Closed />)}
      </Await>
    </Page>
  );
}

function NewAccount() {
  const { back } = useSearch({ from: "/sign-up" });
  const make = async (body: Credentials) => {
    await answer(api.POST("/api/accounts", { body }));
    await answer(api.POST("/api/sessions", { body }));
  };
  return (
    <CredentialsForm isNew act="Create account" send={make} back={back}>
      <Providers back={back} />
      <p>
        Already have an account?{" "}
        <Link to="/sign-in" search={{ back }} hash={true}>
          Sign in
        </Link>
      </p>
    </CredentialsForm>
  );
}

function Closed() {
  return (
    <Empty
      title="Sign-up is closed"
      actions={
        <Link to="/sign-in" className={buttonLook("main")}>
          Sign in
        </Link>
      }
    >
      Ask the operator of this installation for an account.
    </Empty>
  );
}
