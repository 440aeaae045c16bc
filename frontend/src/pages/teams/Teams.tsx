import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ownTeams } from "../../api/queries/team";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { More } from "../../ui/More";
import { Page, Section } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { Offers } from "./Offers";

/** The teams of the reader, one for each competition, and what is offered to them. */
export function Teams() {
  return (
    <Page title="My teams" lead="You compete for one team in each competition.">
      <Require>
        {() => (
          <>
            <Offers />
            <Section title="Teams">
              <Seats />
            </Section>
          </>
        )}
      </Require>
    </Page>
  );
}

function Seats() {
  const query = useInfiniteQuery(ownTeams);
  return (
    <>
      <Await query={query} what="your teams">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0) {
            return (
              <Empty title="You are in no team yet">
                Open a <Link to="/">competition</Link> and choose Teams to make one. If you submit without a
                team, you compete on your own.
              </Empty>
            );
          }
          return (
            <Table
              label="Teams"
              rows={items}
              keyOf={(one) => one.competition}
              columns={[
                {
                  name: "team",
                  kind: "heading",
                  show: ({ name }) => (
                    <Link to="/teams/$name" params={{ name }}>
                      <bdi>{name}</bdi>
                    </Link>
                  ),
                },
                {
                  name: "competition",
                  show: ({ competition, title }) => (
                    <Link to="/competitions/$slug" params={{ slug: competition }}>
                      {title}
                    </Link>
                  ),
                },
                {
                  name: "role",
                  kind: "badges",
                  show: (one) => <Badge>{one.own ? "on your own" : one.role}</Badge>,
                },
                { name: "members", show: (one) => one.members },
                { name: "since", show: (one) => <Moment at={one.joined_at} /> },
              ]}
            />
          );
        }}
      </Await>
      <More of={query} />
    </>
  );
}
