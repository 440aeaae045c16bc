/** What is the same for everybody: the installation, its metrics, machines and record. */
import { queryOptions } from "@tanstack/react-query";
import { isWorkedOn } from "../../words/uploads";
import { answer, api } from "../client";
import type { BenchmarkUpload } from "../types";
import { keyOf, paged, SOON_MS } from "./keys";

/** What everybody may know of the installation's settings. */
export const installation = queryOptions({
  queryKey: keyOf("installation"),
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: () => answer(api.GET("/api/installation")),
});

/** What metrics, columns of suites, flags and alarms mean. */
export const catalogue = queryOptions({
  queryKey: keyOf("catalogue"),
  staleTime: 5 * 60_000,
  queryFn: () => answer(api.GET("/api/metrics")),
});

export const benchmarks = queryOptions({
  queryKey: keyOf("benchmarks"),
  staleTime: 5 * 60_000,
  queryFn: () => answer(api.GET("/api/benchmarks", { params: { query: { limit: 100 } } })),
});

/** Benchmarks that are uploaded: one's own, and for those who may publish them, everybody's. */
export const benchmarkUploads = {
  ...paged(keyOf("benchmark-uploads"), (after) =>
    answer(api.GET("/api/benchmark-uploads", { params: { query: { limit: 20, after } } })),
  ),
  refetchInterval: ({
    state,
  }: {
    state: { data?: { pages: { items: BenchmarkUpload[] }[] } | undefined };
  }) => (state.data?.pages[0]?.items.some(isWorkedOn) ? SOON_MS : (false as const)),
};

/** The code that an uploaded benchmark brings. */
export const architecture = (id: string) =>
  queryOptions({
    queryKey: keyOf("benchmark-uploads", id, "architecture"),
    queryFn: () =>
      answer(
        api.GET("/api/benchmark-uploads/{upload_id}/architecture", { params: { path: { upload_id: id } } }),
      ),
  });

export const environments = queryOptions({
  queryKey: keyOf("environments"),
  staleTime: 5 * 60_000,
  queryFn: () => answer(api.GET("/api/environments")),
});

/** The newest number of the record, and its hash. */
export const recordHead = queryOptions({
  queryKey: keyOf("record"),
  queryFn: () => answer(api.GET("/api/record")),
});

export const system = queryOptions({
  queryKey: keyOf("system"),
  queryFn: () => answer(api.GET("/api/admin/system")),
  refetchInterval: 30_000,
});

export const workers = queryOptions({
  queryKey: keyOf("workers"),
  queryFn: () => answer(api.GET("/api/workers")),
  refetchInterval: 5000,
});

export const health = queryOptions({
  queryKey: keyOf("health"),
  queryFn: () => answer(api.GET("/api/health")),
  refetchInterval: 15_000,
});
