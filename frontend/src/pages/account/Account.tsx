import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import type { Me } from "../../api/types";
import { Require } from "../../app/Require";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Facts } from "../../ui/Facts";
import { Page, Section } from "../../ui/Page";
import { Moment } from "../../ui/Time";
import { Tokens } from "./Tokens";

export function Account() {
  return <Require page="Account">{(who) => <Own who={who} />}</Require>;
}

function Own({ who: { account, teams } }: { who: Me }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const signOut = useMutation({
    mutationFn: () => answer(api.DELETE("/api/sessions/current")),
    onSettled: async () => {
      await navigate({ to: "/" });
      await client.resetQueries();
    },
  });
  return (
    <Page
      title={account.username}
      actions={
        <Button busy={signOut.isPending} onClick={() => signOut.mutate()}>
          Sign out
        </Button>
      }
    >
      <Card>
        <Facts
          of={[
            ["Role", account.role],
            ["Teams", teams.map((team) => team.name).join(", ")],
            ["Since", <Moment key="since" at={account.created_at} />],
          ]}
        />
      </Card>
      <Section title="Tokens and sessions">
        <Tokens />
      </Section>
    </Page>
  );
}
