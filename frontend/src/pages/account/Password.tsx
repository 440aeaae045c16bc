import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { tokens } from "../../api/queries/account";
import type { Me } from "../../api/types";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Notice } from "../../ui/states";
import { NewPassword, OwnPassword } from "./OwnPassword";
import { useOwn } from "./useOwn";

export function Password({ of: { has_password } }: { of: Me }) {
  const [password, setPassword] = useState("");
  const [chosen, setChosen] = useState("");
  const client = useQueryClient();
  const change = useOwn(async () => {
    await answer(api.POST("/api/me/password", { body: { password, new_password: chosen } }));
    setPassword("");
    setChosen("");
    await client.invalidateQueries({ queryKey: tokens.queryKey });
  });
  return (
    <FormCard onSubmit={() => change.mutate()}>
      <p>A new password ends all your other sessions. Tokens stay.</p>
      <Row>
        {has_password && <OwnPassword value={password} onChange={setPassword} />}
        <NewPassword value={chosen} onChange={setChosen} />
        <Button type="submit" look="main" busy={change.isPending}>
          Change the password
        </Button>
      </Row>
      <Notice error={change.error} />
      {change.isSuccess && <p role="status">Your password is changed.</p>}
    </FormCard>
  );
}
