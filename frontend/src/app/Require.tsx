import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { me } from "../api/queries/account";
import type { Me, Role } from "../api/types";
import { Await } from "../ui/Await";
import { Page } from "../ui/Page";
import { Forbidden, SignInNeeded } from "../ui/states";

const RANK: Record<Role, number> = { participant: 0, organiser: 1, operator: 2 };

interface Props {
  /** The least role that may see it. */
  least?: Role;
  /** The title of the page, where its content would have given it one. */
  page?: string;
  children: (who: Me) => ReactNode;
}

/** Shows a page to who may see it. The server decides again; this only says so sooner. */
export function Require({ least = "participant", page, children }: Props) {
  const query = useQuery(me);
  return (
    <Await query={query} what="your account" page={page}>
      {(who) => {
        const refusal = refuse(who, least);
        if (refusal) return page ? <Page title={page}>{refusal}</Page> : refusal;
        return who && children(who);
      }}
    </Await>
  );
}

function refuse(who: Me | null, least: Role): ReactNode {
  if (who === null) return <SignInNeeded />;
  if (RANK[who.account.role] >= RANK[least]) return null;
  return (
    <Forbidden>{`This page needs the role ${least}; your role is ${who.account.role}. Ask an operator for access.`}</Forbidden>
  );
}
