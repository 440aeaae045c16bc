import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useParams, useSearch } from "@tanstack/react-router";
import { competition } from "../../api/queries/competition";
import type { CompetitionDetail } from "../../api/types";
import { Await } from "../../ui/Await";
import { buttonLook } from "../../ui/Button";
import { Page } from "../../ui/Page";
import { NotFound } from "../../ui/states";
import { Tabs } from "../../ui/Tabs";
import { publishedFinals } from "../../words/finals";
import { isolated } from "../../words/isolated";
import { may } from "../../words/roles";
import { CompetitionContext, useRole } from "./context";

/** Who sees a competition, if it is not everybody. */
const SEEN: Partial<Record<CompetitionDetail["visibility"], string>> = {
  draft: "Draft: only its organisers and operators see this competition.",
  unlisted: "Unlisted: everybody who has its address sees this competition.",
  archived: "Archived: nothing in this competition changes any more.",
};

/** What all pages of a competition share: its title and the way between them. */
export function Competition() {
  const { slug } = useParams({ from: "/competitions/$slug" });
  const { phase } = useSearch({ strict: false });
  const part = useLocation().pathname.split("/").filter(Boolean).at(-1);
  const query = useQuery(competition(slug));
  return (
    <Await query={query} what="the competition" page="Competition">
      {(data) => (
        <CompetitionContext value={data}>
          <Page
            title={data.title}
            tab={part && part !== slug ? `${data.title}: ${part}` : data.title}
            lead={`Organised by ${data.owner}`}
            actions={
              part !== "submit" && (
                <Link
                  to="/competitions/$slug/submit"
                  params={{ slug }}
                  search={{ phase }}
                  className={buttonLook("main")}
                >
                  Submit
                </Link>
              )
            }
          >
            {SEEN[data.visibility] && <p role="note">{SEEN[data.visibility]}</p>}
            <Parts of={data} phase={phase} />
            {phase === undefined || data.phases.some((one) => one.slug === phase) ? (
              <Outlet />
            ) : (
              <NotFound>{`This competition has no phase ${isolated(phase)}.`}</NotFound>
            )}
          </Page>
        </CompetitionContext>
      )}
    </Await>
  );
}

/** The ways between the parts, which keep to the phase that was chosen. */
function Parts({ of: { slug, phases }, phase }: { of: CompetitionDetail; phase: string | undefined }) {
  const reviews = may(useRole(), "reviewer");
  const at = { params: { slug }, search: { phase } };
  return (
    <Tabs
      label="Competition"
      of={[
        { name: "Overview", link: { to: "/competitions/$slug", ...at } },
        { name: "Rules", link: { to: "/competitions/$slug/rules", ...at } },
        { name: "Scoring", link: { to: "/competitions/$slug/scoring", ...at } },
        { name: "Starting kit", link: { to: "/competitions/$slug/kit", ...at } },
        { name: "Leaderboard", link: { to: "/competitions/$slug/leaderboard", ...at } },
        { name: "Teams", link: { to: "/competitions/$slug/teams", ...at } },
        ...(publishedFinals(phases).length > 0
          ? [{ name: "Winners", link: { to: "/competitions/$slug/winners", ...at } as const }]
          : []),
        { name: "Announcements", link: { to: "/competitions/$slug/announcements", ...at } },
        ...(reviews
          ? [
              {
                name: "Organise",
                link: { to: "/competitions/$slug/organise", ...at } as const,
                hasParts: true,
              },
            ]
          : []),
      ]}
    />
  );
}
