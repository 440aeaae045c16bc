import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { competitionPages } from "../../api/queries/competition";
import { Await } from "../../ui/Await";
import { Markdown } from "../../ui/Markdown";
import { Section } from "../../ui/Page";
import { NotFound } from "../../ui/states";
import { isolated } from "../../words/isolated";
import { useCompetition } from "./context";

/** A page that the organiser wrote. */
export function PageOfCompetition() {
  const { slug } = useCompetition();
  const { page } = useParams({ from: "/competitions/$slug/pages/$page" });
  const query = useQuery(competitionPages(slug));
  return (
    <Await query={query} what="the page">
      {({ items }) => {
        const found = items.find((one) => one.slug === page);
        if (!found) return <NotFound>{`This competition has no page ${isolated(page)}.`}</NotFound>;
        return (
          <Section title={found.title}>
            <Markdown text={found.body} slug={slug} />
          </Section>
        );
      }}
    </Await>
  );
}
