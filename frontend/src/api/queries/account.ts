/** What somebody reads about their own account, and operators about others'. */
import { queryOptions } from "@tanstack/react-query";
import { preferZone } from "../../words/time";
import { answer, api } from "../client";
import { keyOf, paged } from "./keys";

/** Who is signed in, or null. */
export const me = queryOptions({
  queryKey: keyOf("me"),
  staleTime: 5 * 60_000,
  queryFn: async () => {
    const found = await answer(api.GET("/api/me"));
    preferZone(found?.preferences.time_zone ?? "");
    return found;
  },
});

/** What deleting the own account would do. */
export const deletion = queryOptions({
  queryKey: keyOf("deletion"),
  staleTime: 0,
  queryFn: () => answer(api.GET("/api/me/deletion")),
});

/** The accounts elsewhere with which one signs in here. */
export const identities = queryOptions({
  queryKey: keyOf("identities"),
  queryFn: () => answer(api.GET("/api/me/identities")),
});

export const tokens = paged(keyOf("tokens"), (after) =>
  answer(api.GET("/api/me/tokens", { params: { query: { limit: 50, after } } })),
);

export const notices = paged(keyOf("notices"), (after) =>
  answer(api.GET("/api/me/notices", { params: { query: { limit: 50, after } } })),
);

/** How many notices somebody has not read. */
export const unread = queryOptions({
  queryKey: keyOf("unread"),
  refetchInterval: 60_000,
  queryFn: () => answer(api.GET("/api/me/notices/unread")),
});

/** The organisers and operators of the platform. */
export const accounts = paged(keyOf("accounts"), (after) =>
  answer(api.GET("/api/admin/accounts", { params: { query: { limit: 50, after } } })),
);
