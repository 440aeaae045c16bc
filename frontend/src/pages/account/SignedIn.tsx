import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useParams, useRouter } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { answer, api } from "../../api/client";
import { Button, buttonLook } from "../../ui/Button";
import { Card, FormCard } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Page } from "../../ui/Page";
import { Loading, Notice } from "../../ui/states";
import { NEW_NAME, ownPath } from "./CredentialsForm";
import { takeKeptSecret } from "./secret";

/** Where a provider sends people back to. Whoever is new there chooses a username. */
export function SignedIn() {
  const { name } = useParams({ from: "/signed-in/$name" });
  const client = useQueryClient();
  const router = useRouter();
  const [given] = useState(takeGiven);
  const begun = useRef(false);
  const enter = async (back: string) => {
    await client.resetQueries();
    router.history.replace(ownPath(back) + takeKeptSecret());
  };
  const arrive = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/openid/{name}/return", { params: { path: { name } }, body: given })),
    onSuccess: ({ outcome, back }) => (outcome === "new" ? undefined : enter(back)),
  });
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    arrive.mutate();
  });
  if (arrive.error) {
    return (
      <Page title="You are not signed in" narrow>
        <Card>
          <Notice error={arrive.error} />
          <Link to="/sign-in" className={buttonLook("main")}>
            Sign in
          </Link>
        </Card>
      </Page>
    );
  }
  const { pending, back } = arrive.data ?? {};
  if (!pending || back === undefined) return <Loading />;
  return <NewAccount pending={pending} done={() => enter(back)} />;
}

function NewAccount({ pending, done }: { pending: string; done: () => Promise<void> }) {
  const [username, setUsername] = useState("");
  const make = useMutation({
    mutationFn: () => answer(api.POST("/api/openid-accounts", { body: { username, pending } })),
    onSuccess: done,
  });
  return (
    <Page
      title="Choose a username"
      lead="You have no account here yet. You also get a team of one with the same name."
      narrow
    >
      <FormCard onSubmit={() => make.mutate()}>
        <Field
          label="Username"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          required
          value={username}
          onChange={(event) => setUsername(event.target.value)}
          {...NEW_NAME}
        />
        <Notice error={make.error} />
        <Button type="submit" look="main" busy={make.isPending}>
          Create account
        </Button>
        <p>
          Have an account already? Sign in with its password, then add the provider on your account page.{" "}
          <Link to="/sign-in">Sign in</Link>
        </p>
      </FormCard>
    </Page>
  );
}

/** What the provider gave along. It leaves the address bar, and no other page gets to see it. */
function takeGiven(): { state: string; code: string | null; error: string | null } {
  const query = new URLSearchParams(window.location.search);
  window.history.replaceState(window.history.state, "", window.location.pathname);
  return { state: query.get("state") ?? "", code: query.get("code"), error: query.get("error") };
}
