import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import { me } from "../../api/queries/account";
import { team } from "../../api/queries/team";
import type { Team as Shown } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Card, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Copy } from "../../ui/Copy";
import { Page, Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { Lead } from "./Lead";
import { Links } from "./Links";
import { Offers } from "./Offers";
import styles from "./Team.module.css";
import { useTeaming } from "./useTeaming";

/** What everybody may see of a team; its members can leave it here, and its captain leads it. */
export function Team() {
  const { name } = useParams({ from: "/teams/$name" });
  const query = useQuery(team(name));
  return (
    <Await query={query} what="the team" page="Team">
      {(data) => (
        <Page
          title={data.name}
          tab={`Team ${data.name}`}
          lead={<About of={data} />}
          actions={<Copy text={`${location.origin}/teams/${data.id}`} what="Copy the link" />}
        >
          {data.merged_into && (
            <p role="note">
              This team has become part of{" "}
              <Link to="/teams/$name" params={{ name: data.merged_into }}>
                <bdi>{data.merged_into}</bdi>
              </Link>
              .
            </p>
          )}
          {data.role && data.competition && <Offers team={data.name} />}
          <Section title="Members">
            <Members of={data} />
          </Section>
          <Section title="On leaderboards">
            <Entries of={data} />
          </Section>
          {data.role === "captain" && data.competition && (
            <>
              <Section title="Invite">
                <Links name={data.name} />
              </Section>
              <Section title="Lead">
                <Lead of={data} />
              </Section>
            </>
          )}
        </Page>
      )}
    </Await>
  );
}

function About({ of: { competition, title, merged } }: { of: Shown }) {
  if (competition === null) return "One person's own team, in every competition.";
  return (
    <>
      A team of{" "}
      <Link to="/competitions/$slug" params={{ slug: competition }}>
        {title}
      </Link>
      {merged.length > 0 && `, into which ${merged.join(", ")} merged`}
    </>
  );
}

function Members({ of: { name, members, members_hidden: hidden, role, competition } }: { of: Shown }) {
  const { data: who } = useQuery(me);
  const navigate = useNavigate();
  const own = who?.account.username;
  const remove = useTeaming((username: string) =>
    answer(api.DELETE("/api/teams/{name}/members/{username}", { params: { path: { name, username } } })),
  );
  const promote = useTeaming((username: string) =>
    answer(api.POST("/api/teams/{name}/captain", { params: { path: { name } }, body: { username } })),
  );
  const leave = useTeaming(
    () => answer(api.POST("/api/teams/{name}/leave", { params: { path: { name } } })),
    () => void navigate({ to: "/teams" }),
  );
  const unseen = `${hidden === 1 ? "One member does" : `${hidden} members do`} not show who they are.`;
  const leads = role === "captain" && competition !== null && own !== undefined;
  if (members.length === 0) return <p>{hidden === 0 ? "Nobody is in this team any more." : unseen}</p>;
  return (
    <>
      <Table
        label="Members"
        rows={members}
        keyOf={(one) => one.username}
        columns={[
          { name: "username", kind: "heading", show: (one) => <Person of={one} /> },
          { name: "role", kind: "badges", show: (one) => <Badge>{one.role}</Badge> },
          { name: "since", show: (one) => <Moment at={one.joined_at} /> },
          ...(leads
            ? [
                {
                  name: "acts",
                  kind: "acts" as const,
                  show: ({ username }: { username: string }) =>
                    username !== own && (
                      <Row>
                        <Confirm
                          act="Make captain"
                          look="main"
                          title={`Make ${username} the captain?`}
                          busy={promote.isPending}
                          onConfirm={() => promote.mutate(username)}
                        >
                          {username} leads the team from now on, and you become a member.
                        </Confirm>
                        <Confirm
                          act="Remove"
                          title={`Remove ${username}?`}
                          busy={remove.isPending}
                          onConfirm={() => remove.mutate(username)}
                        >
                          What the team submitted stays. If it submitted while {username} was in it,{" "}
                          {username} competes for no other team here.
                        </Confirm>
                      </Row>
                    ),
                },
              ]
            : []),
        ]}
      />
      {hidden > 0 && <p>{unseen}</p>}
      <Notice error={remove.error ?? promote.error ?? leave.error} />
      {role && competition !== null && (
        <Row>
          <Confirm
            act="Leave the team"
            title={`Leave ${name}?`}
            busy={leave.isPending}
            onConfirm={() => leave.mutate(undefined)}
          >
            What the team submitted stays with it. If it submitted while you were in it, you compete for no
            other team here; its captain can invite you again.
          </Confirm>
        </Row>
      )}
    </>
  );
}

/** Somebody, with the profile that they let others see. */
function Person({ of: { username, display_name, affiliation, link } }: { of: Shown["members"][number] }) {
  const more = [display_name, affiliation].filter(Boolean).join(", ");
  return (
    <>
      <bdi>{username}</bdi>
      {more && (
        <>
          {" "}
          <bdi className={styles.profile}>{more}</bdi>
        </>
      )}
      {link && (
        <>
          {" "}
          <a href={link} rel="noopener noreferrer nofollow" className={styles.profile}>
            {new URL(link).host}
          </a>
        </>
      )}
    </>
  );
}

function Entries({ of: { entries } }: { of: Shown }) {
  if (entries.length === 0) {
    return (
      <Card>
        <p>The team is on no leaderboard.</p>
      </Card>
    );
  }
  return (
    <Table
      label="Entries"
      rows={entries}
      keyOf={(one) => `${one.competition}/${one.phase}`}
      columns={[
        { name: "submission", kind: "heading", show: (one) => <bdi>{one.submission}</bdi> },
        {
          name: "leaderboard",
          show: ({ competition, phase }) => (
            <Link to="/competitions/$slug/leaderboard" params={{ slug: competition }} search={{ phase }}>
              {competition}, {phase}
            </Link>
          ),
        },
        { name: "rank", show: (one) => one.rank ?? "–" },
        { name: "submitted", show: (one) => <Moment at={one.submitted_at} /> },
      ]}
    />
  );
}
