import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useState } from "react";
import { Button } from "../../ui/Button";
import { FormCard } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/states";

export interface Credentials {
  username: string;
  password: string;
}

interface Props {
  /** What the button says. */
  act: string;
  /** Whether they are chosen here, so that the rules for new ones hold. */
  isNew?: boolean;
  send: (credentials: Credentials) => Promise<unknown>;
  /** Where to go then. */
  back: string | undefined;
  children: ReactNode;
}

export const NEW_NAME = {
  hint: "Shown on leaderboards. Use lower-case letters, digits and hyphens; begin and end with a letter or digit.",
  pattern: "[a-z0-9]([a-z0-9\\-]{0,37}[a-z0-9])?",
  title: "Use at most 39 lower-case letters, digits and hyphens; begin and end with a letter or digit.",
};
const NEW_PASSWORD = { hint: "Use at least 10 characters.", minLength: 10, maxLength: 200 };

/** Username and password. Whoever they let in sees every page anew. */
export function CredentialsForm({ act, isNew = false, send, back, children }: Props) {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const client = useQueryClient();
  const router = useRouter();
  const enter = useMutation({
    mutationFn: () => send({ username, password }),
    onSuccess: async () => {
      await client.resetQueries();
      router.history.push(ownPath(back) + location.hash); // which no server sees: a code may follow it
    },
  });
  return (
    <FormCard onSubmit={() => enter.mutate()}>
      <Field
        label="Username"
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        required
        value={username}
        onChange={(event) => setUsername(event.target.value)}
        {...(isNew ? NEW_NAME : {})}
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete={isNew ? "new-password" : "current-password"}
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        {...(isNew ? NEW_PASSWORD : {})}
      />
      <Notice error={enter.error} />
      <Button type="submit" look="main" busy={enter.isPending}>
        {act}
      </Button>
      {children}
    </FormCard>
  );
}

/** A path of this app, never another site's address. */
export function ownPath(back: string | undefined): string {
  return back?.startsWith("/") && !back.startsWith("//") ? back : "/";
}
