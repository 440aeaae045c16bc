/** A competition: its pages, people, announcements and acts. */
import { queryOptions } from "@tanstack/react-query";
import { isUnderWay } from "../../words/freezes";
import { answer, api } from "../client";
import type { Freeze, RegistrationState } from "../types";
import { keyOf, paged, soonIf } from "./keys";

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

/** The images that its texts show. */
export const competitionImages = (slug: string) =>
  queryOptions({
    queryKey: keyOf("images", slug),
    queryFn: () => answer(api.GET("/api/competitions/{slug}/images", { params: { path: { slug } } })),
  });

/** The file of a competition as it is stored, for its organiser. */
export const competitionFile = (slug: string) =>
  queryOptions({
    queryKey: keyOf("competition-file", slug),
    queryFn: () => answer(api.GET("/api/competitions/{slug}/file", { params: { path: { slug } } })),
  });

/** All settings of a phase, as the file has them. */
export const phaseSettings = (slug: string, phase: string) =>
  queryOptions({
    queryKey: keyOf("competition-file", slug, "settings", phase),
    queryFn: () =>
      answer(
        api.GET("/api/competitions/{slug}/phases/{phase}/settings", { params: { path: { slug, phase } } }),
      ),
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

export const acts = (slug: string) =>
  paged(keyOf("acts", slug), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/audit", { params: { path: { slug }, query: { limit: 20, after } } }),
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

/** The archives of a competition. While one is being written, it is asked for again. */
export const freezes = (slug: string) => ({
  ...paged(keyOf("freezes", slug), (after) =>
    answer(
      api.GET("/api/competitions/{slug}/freezes", {
        params: { path: { slug }, query: { limit: 10, after } },
      }),
    ),
  ),
  refetchInterval: soonIf<Freeze>(isUnderWay),
});
