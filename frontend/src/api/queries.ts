/** What the pages read, each with its key, and what each kind of write makes stale. The pages write. */
import { infiniteQueryOptions, QueryClient, queryOptions } from "@tanstack/react-query";
import { preferZone } from "../words/time";
import { answer, api, Problem } from "./client";
import type { Preview, RegistrationState, SubmissionState } from "./types";

/** When what is being computed is asked for again. */
const SOON_MS = 2000;

function retry(failures: number, error: Error): boolean {
  return failures < 2 && error instanceof Problem && (error.status === 0 || error.status >= 500);
}

/** What is being computed, for which one waits: an earlier leaderboard, the preview of a final. */
const NOT_READY = ["standings_not_ready", "final_preview_not_ready"];

function isNotReady(error: Error): boolean {
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
  | "health"
  | "identities"
  | "installation"
  | "invitations"
  | "joining"
  | "leaderboard"
  | "me"
  | "members"
  | "notices"
  | "offers"
  | "printed"
  | "queue"
  | "quota"
  | "record"
  | "reliability"
  | "registration"
  | "registrations"
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

const keyOf = (subject: Subject, ...of: readonly unknown[]) => [subject, ...of] as const;

/** What each kind of write makes stale. A rescoring changes all that a phase's metric or its runs decide. */
const STALE = {
  announcing: ["acts", "announcements"],
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
  hooking: ["webhooks"],
  noticing: ["notices", "unread"],
  noting: ["all-submissions", "submissions"],
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
function paged<P extends PageOf<unknown>>(
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

/** What everybody may know of the installation's settings. */
export const installation = queryOptions({
  queryKey: keyOf("installation"),
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: () => answer(api.GET("/api/installation")),
});

/** The accounts elsewhere with which one signs in here. */
export const identities = queryOptions({
  queryKey: keyOf("identities"),
  queryFn: () => answer(api.GET("/api/me/identities")),
});

/** What metrics, columns of suites, flags and alarms mean. */
export const catalogue = queryOptions({
  queryKey: keyOf("catalogue"),
  staleTime: 5 * 60_000,
  queryFn: () => answer(api.GET("/api/metrics")),
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

export const webhooks = queryOptions({
  queryKey: keyOf("webhooks"),
  queryFn: () => answer(api.GET("/api/me/webhooks")),
});

export const competitions = paged(keyOf("competitions"), (after) =>
  answer(api.GET("/api/competitions", { params: { query: { limit: 50, after } } })),
);

export const competition = (slug: string) =>
  queryOptions({
    queryKey: keyOf("competition", slug),
    queryFn: () => answer(api.GET("/api/competitions/{slug}", { params: { path: { slug } } })),
  });

/** The pages that the organiser wrote: rules, prizes, and others. */
export const competitionPages = (slug: string) =>
  queryOptions({
    queryKey: keyOf("competition-pages", slug),
    queryFn: () => answer(api.GET("/api/competitions/{slug}/pages", { params: { path: { slug } } })),
  });

/** The file of a competition as it is stored, for its organiser. */
export const competitionFile = (slug: string) =>
  queryOptions({
    queryKey: keyOf("competition-file", slug),
    queryFn: () => answer(api.GET("/api/competitions/{slug}/file", { params: { path: { slug } } })),
  });

/** The files that were applied. */
export const competitionVersions = (slug: string) =>
  paged(keyOf("competition-file", slug, "versions"), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/file/versions", {
        params: { path: { slug }, query: { limit: 10, after } },
      }),
    ),
  );

export const benchmarks = queryOptions({
  queryKey: keyOf("benchmarks"),
  staleTime: 5 * 60_000,
  queryFn: () => answer(api.GET("/api/benchmarks", { params: { query: { limit: 100 } } })),
});

export const environments = queryOptions({
  queryKey: keyOf("environments"),
  staleTime: 5 * 60_000,
  queryFn: () => answer(api.GET("/api/environments")),
});

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

export const quota = (path: PhaseKey, team?: string) =>
  queryOptions({
    queryKey: keyOf("quota", path.slug, path.phase, team),
    queryFn: () =>
      answer(api.GET("/api/competitions/{slug}/phases/{phase}/quota", { params: { path, query: { team } } })),
    refetchInterval: 30_000,
  });

/** What one's own teams submitted: what is under way, or what has ended. */
export const submissions = ({ ended }: { ended: boolean }) =>
  infiniteQueryOptions({
    ...paged(keyOf("submissions", ended), (after) =>
      answer(api.GET("/api/submissions", { params: { query: { ended, limit: 20, after } } })),
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

export const alarms = (path: PhaseKey) =>
  paged(keyOf("alarms", path.slug, path.phase), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/phases/{phase}/alarms", {
        params: { path, query: { limit: 10, after } },
      }),
    ),
  );

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
      data?.pages.some(({ items }) => items.some((one) => one.state === "preparing")) ? 3000 : false,
  });

export const campaign = (path: PhaseKey & { campaign_id: string }) =>
  queryOptions({
    queryKey: keyOf("campaigns", path.slug, path.phase, path.campaign_id),
    queryFn: () =>
      answer(
        api.GET("/api/competitions/{slug}/phases/{phase}/campaigns/{campaign_id}", { params: { path } }),
      ),
    refetchInterval: ({ state: { data } }) =>
      data && data.preview === null && ["ready", "published"].includes(data.state) ? SOON_MS : false,
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

export const acts = (slug: string) =>
  paged(keyOf("acts", slug), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/audit", { params: { path: { slug }, query: { limit: 20, after } } }),
    ),
  );

/** What was disqualified or withdrawn. */
export const exclusions = (slug: string) =>
  paged(keyOf("exclusions", slug), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/disqualifications", {
        params: { path: { slug }, query: { limit: 20, after } },
      }),
    ),
  );

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

/** Each team with what it enters into a final. */
export const finalEntries = (path: PhaseKey) =>
  paged(keyOf("final", path.slug, path.phase, "entries"), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/phases/{phase}/final/entries", {
        params: { path, query: { limit: 20, after } },
      }),
    ),
  );

/** The entries of a published final, and what was decided on each. New runs go on while somebody looks. */
export const finalists = (path: PhaseKey) =>
  paged(keyOf("final", path.slug, path.phase, "winners"), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/phases/{phase}/final/winners", {
        params: { path, query: { limit: 10, after } },
      }),
    ),
  );

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

/** What the organiser announced. */
export const announcements = (slug: string) =>
  paged(keyOf("announcements", slug), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/announcements", {
        params: { path: { slug }, query: { limit: 10, after } },
      }),
    ),
  );

/** How people register for a competition, and how far the reader is: the role, and what was accepted. */
export const registration = (slug: string) =>
  queryOptions({
    queryKey: keyOf("registration", slug),
    queryFn: () => answer(api.GET("/api/competitions/{slug}/registration", { params: { path: { slug } } })),
  });

/** Who owns, runs and reviews a competition. */
export const members = (slug: string) =>
  queryOptions({
    queryKey: keyOf("members", slug),
    queryFn: () => answer(api.GET("/api/competitions/{slug}/members", { params: { path: { slug } } })),
  });

export interface SoughtPeople {
  state?: RegistrationState;
  search?: string;
}

/** Who takes part, or asked to. */
export const registrations = (slug: string, sought: SoughtPeople) =>
  paged(keyOf("registrations", slug, sought), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/registrations", {
        params: { path: { slug }, query: { ...sought, limit: 20, after } },
      }),
    ),
  );

export const invitations = (slug: string) =>
  paged(keyOf("invitations", slug), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/invitations", {
        params: { path: { slug }, query: { limit: 10, after } },
      }),
    ),
  );

/** The teams of a competition whose names begin with a text. */
export const teamsOf = (slug: string, search: string) =>
  paged(keyOf("teams", "of", slug, search), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/teams", {
        params: { path: { slug }, query: { search, limit: 20, after } },
      }),
    ),
  );

/** The teams that the reader competes for. */
export const ownTeams = paged(keyOf("teams", "own"), (after) =>
  answer(api.GET("/api/me/teams", { params: { query: { limit: 20, after } } })),
);

export const team = (name: string) =>
  queryOptions({
    queryKey: keyOf("teams", "one", name),
    queryFn: () => answer(api.GET("/api/teams/{name}", { params: { path: { name } } })),
  });

/** The links that let people into a team of the reader. */
export const teamInvitations = (name: string) =>
  queryOptions({
    queryKey: keyOf("teams", "links", name),
    queryFn: () => answer(api.GET("/api/teams/{name}/invitations", { params: { path: { name } } })),
  });

/** Open offers to the reader and their teams. */
export const offers = paged(keyOf("offers"), (after) =>
  answer(api.GET("/api/me/offers", { params: { query: { limit: 20, after } } })),
);

/** The team behind an invitation link. Each look counts as an attempt to use a code, so it is not repeated. */
export const joining = (code: string) =>
  queryOptions({
    queryKey: keyOf("joining", code),
    staleTime: 60_000,
    retry: false,
    queryFn: () => answer(api.POST("/api/joining/preview", { body: { code } })),
  });

/** The organisers and operators of the platform. */
export const accounts = paged(keyOf("accounts"), (after) =>
  answer(api.GET("/api/admin/accounts", { params: { query: { limit: 50, after } } })),
);

/** The newest number of the record, and its hash. */
export const recordHead = queryOptions({
  queryKey: keyOf("record"),
  queryFn: () => answer(api.GET("/api/record")),
});

/** Near-identical code of different teams. */
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
