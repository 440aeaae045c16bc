/** Leaderboards, and how they are rescored. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api } from "../client";
import type { Preview } from "../types";
import { isNotReady, keyOf, paged, retry, SOON_MS } from "./keys";

export interface PhaseKey {
  slug: string;
  phase: string;
}

/** The board as it is, or as it was at a moment. */
export const leaderboard = (path: PhaseKey, as_of?: string) =>
  infiniteQueryOptions({
    ...paged(keyOf("leaderboard", path.slug, path.phase, as_of), (after) =>
      answer(
        api.GET("/api/competitions/{slug}/phases/{phase}/leaderboard", {
          params: { path, query: { limit: 100, after, as_of } },
        }),
      ),
    ),
    refetchInterval: ({ state: { data } }) => {
      if (as_of !== undefined) return false;
      return data?.pages[0]?.behind ? SOON_MS : 60_000;
    },
    retry: (failures, error) => (isNotReady(error) ? failures < 150 : retry(failures, error)),
    retryDelay: (failures, error) => (isNotReady(error) ? SOON_MS : 1000 * 2 ** failures),
  });

export const alarms = (path: PhaseKey) =>
  paged(keyOf("alarms", path.slug, path.phase), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/phases/{phase}/alarms", {
        params: { path, query: { limit: 10, after } },
      }),
    ),
  );

/** The reference rows that the platform makes in a phase. While some are under way, it is read again. */
export const references = (path: PhaseKey) =>
  queryOptions({
    queryKey: keyOf("references", path.slug, path.phase),
    queryFn: () =>
      answer(api.GET("/api/competitions/{slug}/phases/{phase}/references", { params: { path } })),
    refetchInterval: ({ state: { data } }) =>
      data?.waiting || data?.items.some((one) => one.state === "queued" || one.state === "running")
        ? 5_000
        : false,
  });

const MOVING = ["preparing", "publishing", "undoing"];

export const campaigns = (path: PhaseKey) =>
  infiniteQueryOptions({
    ...paged(keyOf("campaigns", path.slug, path.phase), (after) =>
      answer(
        api.GET("/api/competitions/{slug}/phases/{phase}/campaigns", {
          params: { path, query: { limit: 10, after } },
        }),
      ),
    ),
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some(({ items }) => items.some((one) => MOVING.includes(one.state))) ? 3000 : false,
  });

export const campaign = (path: PhaseKey & { campaign_id: string }) =>
  queryOptions({
    queryKey: keyOf("campaigns", path.slug, path.phase, path.campaign_id),
    queryFn: () =>
      answer(
        api.GET("/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}", { params: { path } }),
      ),
    refetchInterval: ({ state: { data } }) =>
      data && data.preview === null && ["ready", "publishing", "published"].includes(data.state)
        ? SOON_MS
        : false,
  });

/** How far the numbers of a phase can be trusted. */
export const reliability = (path: PhaseKey) =>
  queryOptions({
    queryKey: keyOf("reliability", path.slug, path.phase),
    queryFn: () =>
      answer(api.GET("/api/competitions/{slug}/phases/{phase}/reliability", { params: { path } })),
    refetchInterval: ({ state: { data } }) => (data?.under_way ? SOON_MS : false),
  });

/** How a rescoring moves each team, by the preview whose totals are known. */
export const moves = (path: PhaseKey & { campaign_id: string }, of: Preview) =>
  paged(keyOf("campaigns", path.slug, path.phase, path.campaign_id, "moves", of), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}/moves", {
        params: { path, query: { limit: 10, after } },
      }),
    ),
  );
