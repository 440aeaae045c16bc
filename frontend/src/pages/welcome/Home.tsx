import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { me } from "../../api/queries/account";
import { Page } from "../../ui/Page";
import { Loading } from "../../ui/states";
import { Competitions } from "../competitions/Competitions";

const Welcome = lazy(async () => ({ default: (await import("./Welcome")).Welcome }));

/** The first page: strangers read what this is about, people who are signed in get on with it. */
export function Home() {
  const { data: who, isPending } = useQuery(me);
  if (isPending) {
    return (
      <Page title="Lethe">
        <Loading />
      </Page>
    );
  }
  if (who) return <Competitions />;
  return (
    <Suspense fallback={<Loading />}>
      <Welcome />
    </Suspense>
  );
}
