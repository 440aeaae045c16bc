/** Submissions, their results, and the queue. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api } from "../client";
import type { SubmissionState } from "../types";
import type { PhaseKey } from "./board";
import { keyOf, paged, SOON_MS } from "./keys";

export const quota = (path: PhaseKey, team?: string) =>
  queryOptions({
    queryKey: keyOf("quota", path.slug, path.phase, team),
    queryFn: () =>
      answer(api.GET("/api/competitions/{slug}/phases/{phase}/quota", { params: { path, query: { team } } })),
    refetchInterval: 30_000,
  });

/** What one's own teams submitted: what is under way, or what has ended. */
export const submissions = ({ ended, tag }: { ended: boolean; tag?: string }) =>
  infiniteQueryOptions({
    ...paged(keyOf("submissions", ended, tag), (after) =>
      answer(api.GET("/api/submissions", { params: { query: { ended, tag, limit: 20, after } } })),
    ),
    refetchInterval: ({ state: { data } }) =>
      !ended && data?.pages.some(({ items }) => items.length > 0) ? 5000 : 60_000,
  });

export const submission = (submission_id: string) =>
  queryOptions({
    queryKey: keyOf("submission", submission_id),
    queryFn: () =>
      answer(api.GET("/api/submissions/{submission_id}", { params: { path: { submission_id } } })),
  });

/** A submission that its team shows to everybody. */
export const sharedSubmission = (submission_id: string) =>
  queryOptions({
    queryKey: keyOf("shared", submission_id),
    queryFn: () => answer(api.GET("/api/shared/{submission_id}", { params: { path: { submission_id } } })),
  });

/** Where a scored submission stands, and what its score means. */
export const standing = (submission_id: string) =>
  queryOptions({
    queryKey: keyOf("standing", submission_id),
    queryFn: () =>
      answer(api.GET("/api/submissions/{submission_id}/standing", { params: { path: { submission_id } } })),
    refetchInterval: ({ state: { data } }) => (data?.place.follows ? SOON_MS : 60_000),
  });

/** The submissions of the reader's teams to a phase that have ended, the newest hundred. */
export const history = ({ slug, phase }: PhaseKey) =>
  queryOptions({
    queryKey: keyOf("submissions", "history", slug, phase),
    queryFn: () =>
      answer(
        api.GET("/api/submissions", {
          params: { query: { competition: slug, phase, ended: true, limit: 100 } },
        }),
      ),
  });

/** The file of an earlier submission, to submit it again. */
export const uploaded = (submission_id: string, filename: string) =>
  queryOptions({
    queryKey: keyOf("uploaded", submission_id),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => {
      const bytes = await answer(
        api.GET("/api/submissions/{submission_id}/upload", {
          params: { path: { submission_id } },
          parseAs: "blob",
        }),
      );
      return new File([bytes as unknown as Blob], filename);
    },
  });

/** Run times and histograms of a submission scored by a metric, its phase's; they never change. */
export const details = (submission_id: string, metric: string) =>
  queryOptions({
    queryKey: keyOf("details", submission_id, metric),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      answer(api.GET("/api/submissions/{submission_id}/details", { params: { path: { submission_id } } })),
  });

/** Where a scored submission loses, by forget example; it never changes. */
export const losses = (submission_id: string) =>
  queryOptions({
    queryKey: keyOf("losses", submission_id),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      answer(api.GET("/api/submissions/{submission_id}/losses", { params: { path: { submission_id } } })),
  });

/** The last that its runs printed. */
export const printed = (submission_id: string) =>
  queryOptions({
    queryKey: keyOf("printed", submission_id),
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
    queryKey: keyOf("comparison", submission_id, other),
    queryFn: () =>
      answer(
        api.GET("/api/submissions/{submission_id}/comparison", {
          params: { path: { submission_id }, query: { other } },
        }),
      ),
  });

export interface Sought {
  phase?: string;
  state?: SubmissionState;
  team?: string;
}

/** What everybody submitted to a competition, for its organiser. */
export const allSubmissions = (slug: string, sought: Sought) => ({
  ...paged(keyOf("all-submissions", slug, sought), (after) =>
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
    queryKey: keyOf("queue", slug),
    queryFn: () =>
      answer(
        slug === undefined
          ? api.GET("/api/admin/queue")
          : api.GET("/api/competitions/{slug}/queue", { params: { path: { slug } } }),
      ),
    refetchInterval: 5000,
  });
