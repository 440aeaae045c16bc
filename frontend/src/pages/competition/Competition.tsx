import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useParams } from "@tanstack/react-router";
import { competition, me } from "../../api/queries";
import type { CompetitionDetail } from "../../api/types";
import { Await } from "../../ui/Await";
import { buttonLook } from "../../ui/Button";
import { Page } from "../../ui/Page";
import { Tabs } from "../../ui/Tabs";
import { CompetitionContext } from "./context";

/** What all pages of a competition share: its title and the way between them. */
export function Competition() {
  const { slug } = useParams({ from: "/competitions/$slug" });
  const part = useLocation().pathname.split("/").filter(Boolean).at(-1);
  const query = useQuery(competition(slug));
  return (
    <Await query={query} what="the competition" page="Competition">
      {(data) => (
        <CompetitionContext value={data}>
          <Page
            title={data.title}
            tab={part && part !== slug ? `${data.title}: ${part}` : data.title}
            lead={`Organised by ${data.organiser}`}
            actions={
              <Link to="/competitions/$slug/submit" params={{ slug }} className={buttonLook("main")}>
                Submit
              </Link>
            }
          >
            <Parts of={data} />
            <Outlet />
          </Page>
        </CompetitionContext>
      )}
    </Await>
  );
}

function Parts({ of: { slug, organiser } }: { of: CompetitionDetail }) {
  const { data: who } = useQuery(me);
  const organises = who && (who.account.role === "operator" || who.account.username === organiser);
  const params = { slug };
  return (
    <Tabs
      label="Competition"
      of={[
        { name: "Overview", link: { to: "/competitions/$slug", params } },
        { name: "Rules", link: { to: "/competitions/$slug/rules", params } },
        { name: "Starting kit", link: { to: "/competitions/$slug/kit", params } },
        { name: "Leaderboard", link: { to: "/competitions/$slug/leaderboard", params } },
        ...(organises
          ? [{ name: "Organise", link: { to: "/competitions/$slug/organise", params } as const }]
          : []),
      ]}
    />
  );
}
