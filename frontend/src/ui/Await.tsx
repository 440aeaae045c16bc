import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Page } from "./Page";
import { Failed, Loading } from "./states";

interface Props<T> {
  query: Pick<UseQueryResult<T>, "data" | "error" | "refetch">;
  what?: string;
  /** The title of the page, where the data themselves would have given it one. */
  page?: string;
  children: (data: T) => ReactNode;
}

/** Shows what a query found, or why it has not. Data that went stale stay in sight while a refetch fails. */
export function Await<T>({ query, what, page, children }: Props<T>) {
  if (query.data !== undefined) return children(query.data);
  const state = query.error ? (
    <Failed error={query.error} again={() => void query.refetch()} />
  ) : (
    <Loading what={what} />
  );
  return page ? <Page title={page}>{state}</Page> : state;
}
