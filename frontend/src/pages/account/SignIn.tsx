import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useRouter, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { Button } from "../../ui/Button";
import { FormCard } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Page } from "../../ui/Page";
import { Notice } from "../../ui/states";

export function SignIn() {
  const { back } = useSearch({ from: "/sign-in" });
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const router = useRouter();
  const client = useQueryClient();
  const signIn = useMutation({
    mutationFn: () => answer(api.POST("/api/sessions", { body: { username, password } })),
    onSuccess: async () => {
      await client.resetQueries();
      router.history.push(ownPath(back));
    },
  });
  return (
    <Page title="Sign in" narrow>
      <FormCard onSubmit={() => signIn.mutate()}>
        <Field
          label="Username"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          required
          value={username}
          onChange={(event) => setUsername(event.target.value)}
        />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <Notice error={signIn.error} />
        <Button type="submit" look="main" busy={signIn.isPending}>
          Sign in
        </Button>
        <p>
          New here? <Link to="/sign-up">Make an account</Link>
        </p>
      </FormCard>
    </Page>
  );
}

/** Where to go after signing in: a path of this app, never another site's address. */
function ownPath(back: string | undefined): string {
  return back?.startsWith("/") && !back.startsWith("//") ? back : "/";
}
