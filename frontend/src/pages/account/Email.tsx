import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { installation } from "../../api/queries/installation";
import type { Me } from "../../api/types";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { OwnPassword } from "./OwnPassword";
import { useOwn } from "./useOwn";

/** The address for lost passwords and news. */
export function Email({ of: { email, has_password } }: { of: Me }) {
  const [address, setAddress] = useState(email?.address ?? "");
  const [password, setPassword] = useState("");
  const { data: settings } = useQuery(installation);
  const save = useOwn(async () => {
    await answer(api.POST("/api/me/email", { body: { email: address || null, password } }));
    setPassword("");
  });
  const again = useOwn(() => answer(api.POST("/api/me/email/verification")));
  return (
    <FormCard onSubmit={() => save.mutate()}>
      <p>
        {settings?.sends_mail === false
          ? "This installation sends no mail, so an address is of no use yet."
          : "With a verified address you can set a new password if you lose yours."}
      </p>
      {email && (
        <p>
          <bdi>{email.address}</bdi>{" "}
          <Badge tone={email.verified ? "good" : "calm"}>
            {email.verified ? "verified" : "not verified"}
          </Badge>
        </p>
      )}
      <Row>
        <Field
          label="E-mail address"
          type="email"
          autoComplete="email"
          maxLength={254}
          value={address}
          onChange={(event) => setAddress(event.target.value)}
        />
        {has_password && <OwnPassword value={password} onChange={setPassword} />}
        <Button type="submit" look="main" busy={save.isPending}>
          {address || !email ? "Save the address" : "Remove the address"}
        </Button>
        {email && !email.verified && settings?.sends_mail && (
          <Button busy={again.isPending} onClick={() => again.mutate()}>
            Send the link again
          </Button>
        )}
      </Row>
      <Notice error={save.error ?? again.error} />
      {(save.isSuccess || again.isSuccess) && (
        <p role="status">
          {settings?.sends_mail && email && !email.verified
            ? "Saved. Follow the link in the mail that we sent."
            : "Saved."}
        </p>
      )}
    </FormCard>
  );
}
