/** Chosen entries on chosen benchmarks, beside the contest. */
import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "../client";
import { keyOf, paged } from "./keys";

export const matrices = (slug: string) =>
  paged(keyOf("matrices", slug), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/matrices", {
        params: { path: { slug }, query: { limit: 20, after } },
      }),
    ),
  );

/** The table of one matrix. Until it has settled, it is read again. */
export const matrix = (slug: string, matrix_id: string) =>
  queryOptions({
    queryKey: keyOf("matrices", slug, matrix_id),
    queryFn: () =>
      answer(
        api.GET("/api/competitions/{slug}/matrices/{matrix_id}", { params: { path: { slug, matrix_id } } }),
      ),
    refetchInterval: ({ state: { data } }) => (data && data.settled_at === null ? 5_000 : false),
  });
