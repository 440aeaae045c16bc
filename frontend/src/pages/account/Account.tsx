import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { answer, api, Problem } from "../../api/client";
import type { Me } from "../../api/types";
import { Require } from "../../app/Require";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Facts } from "../../ui/Facts";
import { Page, Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { Moment } from "../../ui/Time";
import { Webhooks } from "../webhooks/Webhooks";
import { Data } from "./Data";
import { Email } from "./Email";
import { Identities } from "./Identities";
import { Password } from "./Password";
import { Preferences } from "./Preferences";
import { Profile } from "./Profile";
import { Tokens } from "./Tokens";
import { Told } from "./Told";

export function Account() {
  return <Require page="Account">{(who) => <Own who={who} />}</Require>;
}

function Own({ who }: { who: Me }) {
  const { account } = who;
  const navigate = useNavigate();
  const client = useQueryClient();
  const leave = async () => {
    await navigate({ to: "/" });
    await client.resetQueries();
  };
  const signOut = useMutation({
    mutationFn: () => answer(api.DELETE("/api/sessions/current")),
    onSuccess: leave,
    onError: (error) => {
      if (error instanceof Problem && error.status === 401) void leave(); // the session had ended already
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
      <Notice error={signOut.error} />
      <Card>
        <Facts
          of={[
            ["Role", account.role],
            [
              "Teams",
              <Link key="teams" to="/teams">
                My teams
              </Link>,
            ],
            ["Member since", <Moment key="since" at={account.created_at} />],
          ]}
        />
      </Card>
      <Section title="Profile">
        <Profile of={who} />
      </Section>
      <Section title="Preferences">
        <Preferences of={who} />
      </Section>
      <Section title="What you are told">
        <Told of={who} />
      </Section>
      <Section title="E-mail">
        <Email of={who} />
      </Section>
      <Section title="Password">
        <Password of={who} />
      </Section>
      <Identities of={who} />
      <Section title="Tokens and sessions">
        <Tokens />
      </Section>
      <Section title="Webhooks">
        <Webhooks of={null} />
      </Section>
      <Section title="Your data">
        <Data of={who} />
      </Section>
    </Page>
  );
}
