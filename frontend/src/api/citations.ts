/** How a competition, or the entry of a team, is cited. */
import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";

export interface Cited {
  slug: string;
  /** Of an entry only. */
  phase?: string;
  team?: string;
}

export const citation = ({ slug, phase, team }: Cited) =>
  queryOptions({
    queryKey: ["citation", slug, phase, team],
    queryFn: async () => ({
      bibtex: await textOf(slug, phase, team),
      addresses: { bib: addressOf("bib", slug, phase, team), cff: addressOf("cff", slug, phase, team) },
    }),
  });

function textOf(slug: string, phase?: string, team?: string): Promise<string> {
  if (phase === undefined || team === undefined) {
    const params = { path: { slug, form: "bib" as const } };
    return answer(api.GET("/api/competitions/{slug}/citation.{form}", { params, parseAs: "text" }));
  }
  const params = { path: { slug, phase, team, form: "bib" as const } };
  return answer(
    api.GET("/api/competitions/{slug}/phases/{phase}/citations/{team}.{form}", { params, parseAs: "text" }),
  );
}

function addressOf(form: string, slug: string, phase?: string, team?: string): string {
  const of = phase && team ? `phases/${phase}/citations/${encodeURIComponent(team)}` : "citation";
  return `/api/competitions/${slug}/${of}.${form}`;
}
