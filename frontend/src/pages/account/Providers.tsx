import { useMutation, useQuery } from "@tanstack/react-query";
import { answer, api } from "../../api/client";
import { installation } from "../../api/queries/installation";
import { Button } from "../../ui/Button";
import { Row } from "../../ui/Card";
import { Notice } from "../../ui/states";
import { ownPath } from "./CredentialsForm";
import { keepSecret } from "./secret";

/** A button for each provider with which one can sign in. The browser leaves for the provider, and comes back. */
export function Providers({ back }: { back: string | undefined }) {
  const { data: settings } = useQuery(installation);
  const leave = useMutation({
    mutationFn: (name: string) =>
      answer(api.POST("/api/openid/{name}", { params: { path: { name } }, body: { back: ownPath(back) } })),
    onSuccess: ({ url }) => {
      keepSecret();
      window.location.assign(url);
    },
  });
  if (!settings?.sign_in_with.length) return null;
  return (
    <>
      <Row>
        {settings.sign_in_with.map(({ name, title }) => (
          <Button key={name} busy={leave.isPending || leave.isSuccess} onClick={() => leave.mutate(name)}>
            Continue with {title}
          </Button>
        ))}
      </Row>
      <Notice error={leave.error} />
    </>
  );
}
