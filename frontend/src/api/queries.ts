/** What the pages read, each with its key. Writing is done by the pages, which then invalidate by key. */
import { infiniteQueryOptions, QueryClient, queryOptions } from "@tanstack/react-query";
import { hasEnded } from "../words/live";
import { answer, api, Problem } from "./client";

export const queryClient = new QueryClient({
  defaultOptions: {
    mutations: { networkMode: "always" },
    queries: {
      // Offline, too, a query asks: its failure says more than waiting would.
      networkMode: "always",
      staleTime: 15_000,
      retry: (failures, error) =>
        failures < 2 && error instanceof Problem && (error.status === 0 || error.status >= 500),
    },
  },
});

/** Who is signed in, or null. */
export const me = queryOptions({
  queryKey: ["me"],
  staleTime: 5 * 60_000,
  queryFn: async () => {
    try {
      return await answer(api.GET("/api/me"));
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null;
      throw error;
    }
  },
});

export const tokens = queryOptions({
  queryKey: ["tokens"],
  queryFn: () => answer(api.GET("/api/me/tokens", { params: { query: { limit: 100 } } })),
});

export const competitions = queryOptions({
  queryKey: ["competitions"],
  queryFn: () => answer(api.GET("/api/competitions", { params: { query: { limit: 100 } } })),
});

export const competition = (slug: string) =>
  queryOptions({
    queryKey: ["competition", slug],
    queryFn: () => answer(api.GET("/api/competitions/{slug}", { params: { path: { slug } } })),
  });

export const benchmarks = queryOptions({
  queryKey: ["benchmarks"],
  staleTime: 5 * 60_000,
  queryFn: () => answer(api.GET("/api/benchmarks", { params: { query: { limit: 100 } } })),
});

interface PhaseKey {
  slug: string;
  phase: string;
}

export const leaderboard = (path: PhaseKey) =>
  infiniteQueryOptions({
    queryKey: ["leaderboard", path.slug, path.phase],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: after }) =>
      answer(
        api.GET("/api/competitions/{slug}/phases/{phase}/leaderboard", {
          params: { path, query: { limit: 100, after } },
        }),
      ),
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: 60_000,
  });

export const submissions = (of: { competition?: string; phase?: string } = {}) =>
  infiniteQueryOptions({
    queryKey: ["submissions", of],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: after }) =>
      answer(api.GET("/api/submissions", { params: { query: { ...of, limit: 100, after } } })),
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some(({ items }) => items.some((one) => !hasEnded(one.state))) ? 5000 : false,
  });

export const submission = (submission_id: string) =>
  queryOptions({
    queryKey: ["submission", submission_id],
    queryFn: () =>
      answer(api.GET("/api/submissions/{submission_id}", { params: { path: { submission_id } } })),
  });

export const comparison = (submission_id: string, other: string) =>
  queryOptions({
    queryKey: ["comparison", submission_id, other],
    queryFn: () =>
      answer(
        api.GET("/api/submissions/{submission_id}/comparison", {
          params: { path: { submission_id }, query: { other } },
        }),
      ),
  });

export const alarms = (path: PhaseKey) =>
  queryOptions({
    queryKey: ["alarms", path.slug, path.phase],
    queryFn: () =>
      answer(
        api.GET("/api/competitions/{slug}/phases/{phase}/alarms", {
          params: { path, query: { limit: 100 } },
        }),
      ),
  });

export const campaigns = (path: PhaseKey) =>
  queryOptions({
    queryKey: ["campaigns", path.slug, path.phase],
    queryFn: () => answer(api.GET("/api/competitions/{slug}/phases/{phase}/campaigns", { params: { path } })),
    refetchInterval: (query) =>
      query.state.data?.items.some((campaign) => campaign.state === "preparing") ? 3000 : false,
  });

export const campaign = (path: PhaseKey & { campaign_id: string }) =>
  queryOptions({
    queryKey: ["campaigns", path.slug, path.phase, path.campaign_id],
    queryFn: () =>
      answer(
        api.GET("/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}", { params: { path } }),
      ),
  });

export const acts = (slug: string) =>
  queryOptions({
    queryKey: ["acts", slug],
    queryFn: () => answer(api.GET("/api/competitions/{slug}/audit", { params: { path: { slug } } })),
  });

export const queue = queryOptions({
  queryKey: ["queue"],
  queryFn: () => answer(api.GET("/api/admin/queue")),
  refetchInterval: 5000,
});

export const health = queryOptions({
  queryKey: ["health"],
  queryFn: () => answer(api.GET("/api/health")),
  refetchInterval: 15_000,
});
