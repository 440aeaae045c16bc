import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { registration } from "../../api/queries/competition";
import type { CompetitionRole } from "../../api/types";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
import { Forbidden } from "../../ui/states";
import { may } from "../../words/roles";
import { useCompetition } from "./context";

interface Props {
  /** The least role in the competition that may see it. */
  least: CompetitionRole;
  children: (role: CompetitionRole) => ReactNode;
}

/** Shows a part of a competition to who may see it. The server decides again; this only says so sooner. */
export function Within({ least, children }: Props) {
  const { slug, owner } = useCompetition();
  const query = useQuery(registration(slug));
  return (
    <Require>
      {() => (
        <Await query={query} what="your role">
          {({ role }) =>
            role && may(role, least) ? (
              children(role)
            ) : (
              <Forbidden>{`This page needs the role ${least} in this competition. Ask ${owner}.`}</Forbidden>
            )
          }
        </Await>
      )}
    </Require>
  );
}
