/** The keys of what pages read, when it is asked for again, and what each kind of write makes stale. */
import { infiniteQueryOptions, QueryClient } from "@tanstack/react-query";
import { Problem } from "../client";

/** When what is being computed is asked for again. */
export const SOON_MS = 2000;

export function retry(failures: number, error: Error): boolean {
  return failures < 2 && error instanceof Problem && (error.status === 0 || error.status >= 500);
}

/** What is being computed, for which one waits: an earlier leaderboard, the preview of a final. */
const NOT_READY = ["standings_not_ready", "final_preview_not_ready"];

export function isNotReady(error: Error): boolean {
  return error instanceof Problem && NOT_READY.includes(error.code);
}

export const queryClient = new QueryClient({
  defaultOptions: {
    mutations: { networkMode: "always" },
    queries: {
      // Offline, too, a query asks: its failure says more than waiting would.
      networkMode: "always",
      staleTime: 15_000,
      retry,
    },
  },
});

/** The first part of every key. */
type Subject =
  | "accounts"
  | "acts"
  | "alarms"
  | "all-submissions"
  | "announcements"
  | "benchmark-uploads"
  | "benchmarks"
  | "campaigns"
  | "catalogue"
  | "code"
  | "comparison"
  | "competition"
  | "competition-file"
  | "competition-pages"
  | "competitions"
  | "copies"
  | "deletion"
  | "details"
  | "environments"
  | "exclusions"
  | "final"
  | "freezes"
  | "health"
  | "identities"
  | "images"
  | "installation"
  | "invitations"
  | "joining"
  | "leaderboard"
  | "matrices"
  | "me"
  | "losses"
  | "members"
  | "notices"
  | "offers"
  | "printed"
  | "queue"
  | "quota"
  | "record"
  | "references"
  | "reliability"
  | "registration"
  | "registrations"
  | "shared"
  | "standing"
  | "submission"
  | "submissions"
  | "system"
  | "teams"
  | "tokens"
  | "workers"
  | "unread"
  | "uploaded"
  | "webhooks";

export const keyOf = (subject: Subject, ...of: readonly unknown[]) => [subject, ...of] as const;

/** What each kind of write makes stale. A rescoring changes all that a phase's metric or its runs decide. */
const STALE = {
  announcing: ["acts", "announcements"],
  benchmarking: ["benchmark-uploads", "benchmarks"],
  cancelling: ["all-submissions", "queue", "quota", "submission"],
  employing: ["accounts", "me"],
  ending: ["leaderboard", "submission", "submissions"],
  final: [
    "acts",
    "all-submissions",
    "competition",
    "final",
    "leaderboard",
    "queue",
    "standing",
    "submission",
    "submissions",
  ],
  freezing: ["freezes"],
  filing: [
    "acts",
    "announcements",
    "competition",
    "competition-file",
    "competition-pages",
    "competitions",
    "leaderboard",
    "quota",
  ],
  judging: [
    "acts",
    "all-submissions",
    "campaigns",
    "exclusions",
    "leaderboard",
    "standing",
    "submission",
    "submissions",
  ],
  peopling: ["acts", "competition", "invitations", "members", "registration", "registrations"],
  matrices: ["acts", "matrices", "queue"],
  referring: ["acts", "all-submissions", "competition", "leaderboard", "queue", "references"],
  rescoring: [
    "acts",
    "alarms",
    "all-submissions",
    "campaigns",
    "comparison",
    "competition",
    "details",
    "leaderboard",
    "queue",
    "standing",
    "submission",
    "submissions",
  ],
  relying: ["reliability"],
  hooking: ["acts", "webhooks"],
  noticing: ["notices", "unread"],
  noting: ["all-submissions", "submissions"],
  picturing: ["acts", "images"],
  sharing: ["shared", "submission"],
  teaming: [
    "acts",
    "competition",
    "joining",
    "leaderboard",
    "me",
    "offers",
    "quota",
    "registration",
    "registrations",
    "submissions",
    "teams",
  ],
  uploading: ["quota", "registration", "submissions"],
} as const satisfies Record<string, readonly Subject[]>;

/** Read anew what a write has made stale. */
export function refresh(client: QueryClient, after: keyof typeof STALE): Promise<unknown> {
  return Promise.all(STALE[after].map((subject) => client.invalidateQueries({ queryKey: keyOf(subject) })));
}

interface PageOf<Item> {
  items: Item[];
  next: string | null;
}

/** A listing that comes page by page. */
export function paged<P extends PageOf<unknown>>(
  queryKey: ReturnType<typeof keyOf>,
  read: (after: string | undefined) => Promise<P>,
) {
  return infiniteQueryOptions({
    queryKey,
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => read(pageParam),
    getNextPageParam: (page: P) => page.next ?? undefined,
  });
}

/** Read a listing again soon while one of its loaded items is still changing. */
export function soonIf<Item>(isUnderWay: (item: Item) => boolean) {
  return ({ state: { data } }: { state: { data?: { pages: PageOf<Item>[] } | undefined } }) =>
    data?.pages.some(({ items }) => items.some(isUnderWay)) ? SOON_MS : (false as const);
}
