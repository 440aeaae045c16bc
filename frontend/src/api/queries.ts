/** What the pages read, each with its key. Writing is done by the pages, which then invalidate by key. */
import { infiniteQueryOptions, QueryClient, queryOptions } from "@tanstack/react-query";
import { answer, api, Problem } from "./client";
import type { SubmissionState } from "./types";

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

interface PageOf<Item> {
  items: Item[];
  next: string | null;
}

/** A listing that comes page by page. */
function paged<P extends PageOf<unknown>>(
  queryKey: readonly unknown[],
  read: (after: string | undefined) => Promise<P>,
) {
  return infiniteQueryOptions({
    queryKey,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => read(pageParam),
    getNextPageParam: (page: P) => page.next ?? undefined,
  });
}

/** Who is signed in, or null. */
export const me = queryOptions({
  queryKey: ["me"],
  staleTime: 5 * 60_000,
  queryFn: () => answer(api.GET("/api/me")),
});

/** What everybody may know of the installation's settings. */
export const installation = queryOptions({
  queryKey: ["installation"],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: () => answer(api.GET("/api/installation")),
});

/** What metrics, columns of suites, flags and alarms mean. */
export const catalogue = queryOptions({
  queryKey: ["catalogue"],
  staleTime: 5 * 60_000,
  queryFn: () => answer(api.GET("/api/metrics")),
});

export const tokens = paged(["tokens"], (after) =>
  answer(api.GET("/api/me/tokens", { params: { query: { limit: 50, after } } })),
);

export const competitions = paged(["competitions"], (after) =>
  answer(api.GET("/api/competitions", { params: { query: { limit: 50, after } } })),
);

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

/** The board as it is, or as it was at a moment. */
export const leaderboard = (path: PhaseKey, as_of?: string) => ({
  ...paged(["leaderboard", path.slug, path.phase, as_of], (after) =>
    answer(
      api.GET("/api/competitions/{slug}/phases/{phase}/leaderboard", {
        params: { path, query: { limit: 100, after, as_of } },
      }),
    ),
  ),
  refetchInterval: as_of === undefined ? 60_000 : (false as const),
});

export const quota = (path: PhaseKey, team: string) =>
  queryOptions({
    queryKey: ["quota", path.slug, path.phase, team],
    queryFn: () =>
      answer(api.GET("/api/competitions/{slug}/phases/{phase}/quota", { params: { path, query: { team } } })),
    refetchInterval: 30_000,
  });

/** What one's own teams submitted: what is under way, or what has ended. */
export const submissions = ({ ended }: { ended: boolean }) =>
  infiniteQueryOptions({
    ...paged(["submissions", ended], (after) =>
      answer(api.GET("/api/submissions", { params: { query: { ended, limit: 20, after } } })),
    ),
    refetchInterval: ({ state: { data } }) =>
      !ended && data?.pages.some(({ items }) => items.length > 0) ? 5000 : 60_000,
  });

export const submission = (submission_id: string) =>
  queryOptions({
    queryKey: ["submission", submission_id],
    queryFn: () =>
      answer(api.GET("/api/submissions/{submission_id}", { params: { path: { submission_id } } })),
  });

/** Run times and histograms of a submission scored by a metric, its phase's; they never change. */
export const details = (submission_id: string, metric: string) =>
  queryOptions({
    queryKey: ["details", submission_id, metric],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      answer(api.GET("/api/submissions/{submission_id}/details", { params: { path: { submission_id } } })),
  });

/** The last that its runs printed. */
export const printed = (submission_id: string) =>
  queryOptions({
    queryKey: ["printed", submission_id],
    queryFn: () =>
      answer(
        api.GET("/api/submissions/{submission_id}/log", {
          params: { path: { submission_id } },
          parseAs: "text",
        }),
      ),
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
  paged(["alarms", path.slug, path.phase], (after) =>
    answer(
      api.GET("/api/competitions/{slug}/phases/{phase}/alarms", {
        params: { path, query: { limit: 10, after } },
      }),
    ),
  );

export const campaigns = (path: PhaseKey) =>
  infiniteQueryOptions({
    ...paged(["campaigns", path.slug, path.phase], (after) =>
      answer(
        api.GET("/api/competitions/{slug}/phases/{phase}/campaigns", {
          params: { path, query: { limit: 10, after } },
        }),
      ),
    ),
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some(({ items }) => items.some((one) => one.state === "preparing")) ? 3000 : false,
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
  paged(["acts", slug], (after) =>
    answer(
      api.GET("/api/competitions/{slug}/audit", { params: { path: { slug }, query: { limit: 20, after } } }),
    ),
  );

export interface Sought {
  phase?: string;
  state?: SubmissionState;
  team?: string;
}

/** What everybody submitted to a competition, for its organiser. */
export const allSubmissions = (slug: string, sought: Sought) => ({
  ...paged(["all-submissions", slug, sought], (after) =>
    answer(
      api.GET("/api/competitions/{slug}/submissions", {
        params: { path: { slug }, query: { ...sought, limit: 20, after } },
      }),
    ),
  ),
  refetchInterval: 15_000,
});

/** The queue of a competition, or of all of them. */
export const queue = (slug?: string) =>
  queryOptions({
    queryKey: ["queue", slug],
    queryFn: () =>
      answer(
        slug === undefined
          ? api.GET("/api/admin/queue")
          : api.GET("/api/competitions/{slug}/queue", { params: { path: { slug } } }),
      ),
    refetchInterval: 5000,
  });

export const system = queryOptions({
  queryKey: ["system"],
  queryFn: () => answer(api.GET("/api/admin/system")),
  refetchInterval: 30_000,
});

export const health = queryOptions({
  queryKey: ["health"],
  queryFn: () => answer(api.GET("/api/health")),
  refetchInterval: 15_000,
});
