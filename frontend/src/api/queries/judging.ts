/** What organisers look at when they judge entries. */
import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "../client";
import { keyOf, paged } from "./keys";

/** What was disqualified or withdrawn. */
export const exclusions = (slug: string) =>
  paged(keyOf("exclusions", slug), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/disqualifications", {
        params: { path: { slug }, query: { limit: 20, after } },
      }),
    ),
  );

/** Near-identical entries of different teams. */
export const copies = (slug: string) =>
  paged(keyOf("copies", slug), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/copies", { params: { path: { slug }, query: { limit: 20, after } } }),
    ),
  );

/** The files of an upload; they never change, and each reading is on record. */
export const code = (submission_id: string) =>
  queryOptions({
    queryKey: keyOf("code", submission_id),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      answer(api.GET("/api/submissions/{submission_id}/code", { params: { path: { submission_id } } })),
  });

export const codeDiff = (submission_id: string, other: string) =>
  queryOptions({
    queryKey: keyOf("code", submission_id, other),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      answer(
        api.GET("/api/submissions/{submission_id}/diff", {
          params: { path: { submission_id }, query: { other } },
        }),
      ),
  });
