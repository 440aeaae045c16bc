/** Sealed finals and their winners. */
import { queryOptions } from "@tanstack/react-query";
import { isRunAgain } from "../../words/finals";
import { answer, api } from "../client";
import type { Finalist } from "../types";
import type { PhaseKey } from "./board";
import { isNotReady, keyOf, paged, retry, SOON_MS, soonIf } from "./keys";

/** A final: what everybody may know of it. */
export const final = (path: PhaseKey) =>
  queryOptions({
    queryKey: keyOf("final", path.slug, path.phase),
    queryFn: () => answer(api.GET("/api/competitions/{slug}/phases/{phase}/final", { params: { path } })),
  });

/** What would enter a final; it is counted anew while somebody looks. */
export const finalPreview = (path: PhaseKey) =>
  queryOptions({
    queryKey: keyOf("final", path.slug, path.phase, "preview"),
    queryFn: () =>
      answer(api.GET("/api/competitions/{slug}/phases/{phase}/final/preview", { params: { path } })),
    refetchInterval: ({ state: { data } }) => (data?.behind ? SOON_MS : 30_000),
    retry: (failures, error) => (isNotReady(error) ? failures < 150 : retry(failures, error)),
    retryDelay: SOON_MS,
  });

/** How far the runs of a started final are. */
export const finalProgress = (path: PhaseKey) =>
  queryOptions({
    queryKey: keyOf("final", path.slug, path.phase, "progress"),
    queryFn: () =>
      answer(api.GET("/api/competitions/{slug}/phases/{phase}/final/progress", { params: { path } })),
    refetchInterval: ({ state: { data } }) => (data?.complete ? false : SOON_MS),
  });

/** Each team with what it enters into a final; read again soon, until it was read after a moment in milliseconds. */
export const finalEntries = (path: PhaseKey, until: number) => ({
  ...paged(keyOf("final", path.slug, path.phase, "entries"), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/phases/{phase}/final/entries", {
        params: { path, query: { limit: 20, after } },
      }),
    ),
  ),
  refetchInterval: ({ state }: { state: { dataUpdatedAt: number } }) =>
    state.dataUpdatedAt < until ? SOON_MS : (false as const),
});

/** The entries of a published final, and what was decided on each. New runs go on while somebody looks. */
export const finalists = (path: PhaseKey) => ({
  ...paged(keyOf("final", path.slug, path.phase, "winners"), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/phases/{phase}/final/winners", {
        params: { path, query: { limit: 10, after } },
      }),
    ),
  ),
  refetchInterval: soonIf<Finalist>(isRunAgain),
});

/** The published code of a finalist. */
export const finalistCode = (path: PhaseKey, id: string) =>
  queryOptions({
    queryKey: keyOf("final", path.slug, path.phase, "winners", id),
    queryFn: () =>
      answer(
        api.GET("/api/competitions/{slug}/phases/{phase}/final/winners/{submission_id}/code", {
          params: { path: { ...path, submission_id: id } },
        }),
      ),
  });

/** The joint board of a final on several benchmarks. */
export const finalBoard = (path: PhaseKey) =>
  paged(keyOf("final", path.slug, path.phase, "board"), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/phases/{phase}/final/board", {
        params: { path, query: { limit: 100, after } },
      }),
    ),
  );
