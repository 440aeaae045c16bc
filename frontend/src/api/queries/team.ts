/** Teams, and the ways into them. */
import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "../client";
import { keyOf, paged } from "./keys";

/** The teams of a competition whose names begin with a text. */
export const teamsOf = (slug: string, search: string) =>
  paged(keyOf("teams", "of", slug, search), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/teams", {
        params: { path: { slug }, query: { search, limit: 20, after } },
      }),
    ),
  );

/** The teams that the reader competes for. */
export const ownTeams = paged(keyOf("teams", "own"), (after) =>
  answer(api.GET("/api/me/teams", { params: { query: { limit: 20, after } } })),
);

export const team = (name: string) =>
  queryOptions({
    queryKey: keyOf("teams", "one", name),
    queryFn: () => answer(api.GET("/api/teams/{name}", { params: { path: { name } } })),
  });

/** The links that let people into a team of the reader. */
export const teamInvitations = (name: string) =>
  queryOptions({
    queryKey: keyOf("teams", "links", name),
    queryFn: () => answer(api.GET("/api/teams/{name}/invitations", { params: { path: { name } } })),
  });

/** Open offers to the reader and their teams. */
export const offers = paged(keyOf("offers"), (after) =>
  answer(api.GET("/api/me/offers", { params: { query: { limit: 20, after } } })),
);

/** The team behind an invitation link. Each look counts as an attempt to use a code, so it is not repeated. */
export const joining = (code: string) =>
  queryOptions({
    queryKey: keyOf("joining", code),
    staleTime: 60_000,
    retry: false,
    queryFn: () => answer(api.POST("/api/joining/preview", { body: { code } })),
  });
