import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { Button } from "../../ui/Button";
import { FormCard } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Page } from "../../ui/Page";
import { Notice } from "../../ui/states";

export function SignUp() {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const navigate = useNavigate();
  const client = useQueryClient();
  const signUp = useMutation({
    mutationFn: async () => {
      await answer(api.POST("/api/accounts", { body: { username, password } }));
      await answer(api.POST("/api/sessions", { body: { username, password } }));
    },
    onSuccess: async () => {
      await client.resetQueries();
      await navigate({ to: "/" });
    },
  });
  return (
    <Page title="Make an account" lead="You get a team of one, under the same name." narrow>
      <FormCard onSubmit={() => signUp.mutate()}>
        <Field
          label="Username"
          hint="Shown on boards. Lower-case letters, digits and inner hyphens."
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          pattern="[a-z0-9]([a-z0-9\-]{0,37}[a-z0-9])?"
          title="Lower-case letters, digits and inner hyphens; 39 at most."
          required
          value={username}
          onChange={(event) => setUsername(event.target.value)}
        />
        <Field
          label="Password"
          hint="10 characters or more."
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={10}
          maxLength={200}
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <Notice error={signUp.error} />
        <Button type="submit" look="main" busy={signUp.isPending}>
          Make account
        </Button>
        <p>
          You have one? <Link to="/sign-in">Sign in</Link>
        </p>
      </FormCard>
    </Page>
  );
}
