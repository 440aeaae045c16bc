import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useNavigate } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import { me } from "../../api/queries/account";
import { joining } from "../../api/queries/team";
import type { JoinPreview } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button, buttonLook } from "../../ui/Button";
import { Card, Row } from "../../ui/Card";
import { Facts } from "../../ui/Facts";
import { Page } from "../../ui/Page";
import { Empty, Notice } from "../../ui/states";
import { Moment } from "../../ui/Time";
import { useTeaming } from "./useTeaming";

/** What is behind an invitation link: the team, before one joins it. The code follows #, so no server's log has it. */
export function Join() {
  const code = useLocation().hash;
  const { data: who } = useQuery(me);
  return (
    <Page title="Join a team">
      {who === null && (
        <Card>
          <p>Sign in, or create an account, to see the team that invites you.</p>
          <Row>
            <Link to="/sign-in" search={{ back: "/join" }} hash={code} className={buttonLook("main")}>
              Sign in
            </Link>
            <Link to="/sign-up" search={{ back: "/join" }} hash={code} className={buttonLook()}>
              Create an account
            </Link>
          </Row>
        </Card>
      )}
      {who &&
        (code ? <Invited code={code} /> : <Empty title="The link has no code">Open the whole link.</Empty>)}
    </Page>
  );
}

function Invited({ code }: { code: string }) {
  const query = useQuery(joining(code));
  return (
    <Await query={query} what="the team">
      {(found) => <Preview of={found} code={code} />}
    </Await>
  );
}

function Preview({ of: { team, expires_at, obstacle }, code }: { of: JoinPreview; code: string }) {
  const navigate = useNavigate();
  const join = useTeaming(
    () => answer(api.POST("/api/joining", { body: { code } })),
    ({ name }) => void navigate({ to: "/teams/$name", params: { name } }),
  );
  return (
    <Card>
      <Facts
        of={[
          ["Team", <bdi key="team">{team.name}</bdi>],
          [
            "Competition",
            team.competition && (
              <Link key="competition" to="/competitions/$slug" params={{ slug: team.competition }}>
                {team.title}
              </Link>
            ),
          ],
          ["Members", team.members.map((one) => one.username).join(", ")],
          ["Largest team", `${team.terms?.size} people`],
          ["The link expires", <Moment key="expires" at={expires_at} />],
        ]}
      />
      <p>
        The members of a team share its quota, its submissions and its place on the leaderboard. Once it
        submits with you in it, you compete for no other team in this competition, even if you leave.
      </p>
      {obstacle ? (
        <p role="alert">{obstacle}</p>
      ) : (
        <Button look="main" busy={join.isPending} onClick={() => join.mutate(undefined)}>
          Join {team.name}
        </Button>
      )}
      <Notice error={join.error} />
    </Card>
  );
}
