import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useDeferredValue, useState } from "react";
import { answer, api } from "../../api/client";
import { me } from "../../api/queries/account";
import { teamsOf } from "../../api/queries/team";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Field } from "../../ui/Field";
import { More } from "../../ui/More";
import { Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { may } from "../../words/roles";
import { useCompetition, useRole } from "../competition/context";
import { Terms } from "./Terms";
import { useTeaming } from "./useTeaming";

/** The teams of a competition, what it says about teams, and the way to make one. */
export function TeamsOfCompetition() {
  const { slug, teams } = useCompetition();
  const { data: who } = useQuery(me);
  const organises = may(useRole(), "organiser");
  return (
    <>
      <p>
        A team has at most {teams.size} people.{" "}
        {teams.merge_until ? (
          <>
            Teams may merge until <Moment at={teams.merge_until} />.
          </>
        ) : (
          "Teams do not merge."
        )}
      </p>
      {organises && (
        <Section title="Terms">
          <Terms />
        </Section>
      )}
      {who && (
        <Section title="Make a team">
          <Make slug={slug} />
        </Section>
      )}
      <Section title="Teams">
        <Listed slug={slug} />
      </Section>
    </>
  );
}

function Make({ slug }: { slug: string }) {
  const [name, setName] = useState("");
  const navigate = useNavigate();
  const make = useTeaming(
    () => answer(api.POST("/api/competitions/{slug}/teams", { params: { path: { slug } }, body: { name } })),
    (team) => void navigate({ to: "/teams/$name", params: { name: team.name } }),
  );
  return (
    <FormCard onSubmit={() => make.mutate(undefined)}>
      <p>
        You lead it and invite others. What you have submitted here on your own counts for it from then on.
        Its name has 1 to 39 of the letters a-z, digits and hyphens.
      </p>
      <Row>
        <Field
          label="Name of the team"
          required
          maxLength={39}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" look="main" busy={make.isPending}>
          Make the team
        </Button>
      </Row>
      <Notice error={make.error} />
    </FormCard>
  );
}

function Listed({ slug }: { slug: string }) {
  const [search, setSearch] = useState("");
  const query = useInfiniteQuery({
    ...teamsOf(slug, useDeferredValue(search)),
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <Row>
        <Field
          label="Name begins with"
          type="search"
          maxLength={39}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </Row>
      <Await query={query} what="teams">
        {({ pages }) => {
          const items = pages.flatMap((page) => page.items);
          if (items.length === 0)
            return <p>{search ? "No team's name begins so." : "No team has been made yet."}</p>;
          return (
            <Table
              label="Teams"
              rows={items}
              keyOf={(one) => one.name}
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
                { name: "captain", show: (one) => (one.captain ? <bdi>{one.captain}</bdi> : "–") },
                { name: "members", show: (one) => one.members },
              ]}
            />
          );
        }}
      </Await>
      <More of={query} />
    </>
  );
}
