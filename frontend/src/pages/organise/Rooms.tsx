import { Outlet, useSearch } from "@tanstack/react-router";
import { Tabs } from "../../ui/Tabs";
import { may } from "../../words/roles";
import { useCompetition } from "../competition/context";
import { Within } from "../competition/Within";

/** The rooms of who runs a competition, and the way between them. A reviewer sees them without what changes anything. */
export function Rooms() {
  const { slug } = useCompetition();
  const { phase } = useSearch({ strict: false });
  const at = { params: { slug }, search: { phase } };
  return (
    <Within least="reviewer">
      {(role) => (
        <>
          <Tabs
            label="Organise"
            of={[
              { name: "Phases", link: { to: "/competitions/$slug/organise", ...at } },
              { name: "Entries", link: { to: "/competitions/$slug/organise/entries", ...at } },
              { name: "Judging", link: { to: "/competitions/$slug/organise/judging", ...at } },
              { name: "Rescoring", link: { to: "/competitions/$slug/organise/rescoring", ...at } },
              { name: "Matrices", link: { to: "/competitions/$slug/organise/matrices", ...at } },
              { name: "People", link: { to: "/competitions/$slug/organise/people", ...at } },
              { name: "Messages", link: { to: "/competitions/$slug/organise/messages", ...at } },
              ...(may(role, "organiser")
                ? [
                    {
                      name: "Webhooks",
                      link: { to: "/competitions/$slug/organise/webhooks", ...at },
                    } as const,
                    { name: "File", link: { to: "/competitions/$slug/organise/file", ...at } } as const,
                  ]
                : []),
              { name: "Archive", link: { to: "/competitions/$slug/organise/archive", ...at } },
              { name: "Record", link: { to: "/competitions/$slug/organise/record", ...at } },
            ]}
          />
          <Outlet />
        </>
      )}
    </Within>
  );
}
