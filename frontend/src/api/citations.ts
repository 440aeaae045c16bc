/** How a competition, the entry of a team, or a shared submission is cited. */
import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";

export type Cited = { slug: string } | { slug: string; phase: string; team: string } | { shared: string };

export const citation = (of: Cited) =>
  queryOptions({
    queryKey: ["citation", of],
    queryFn: async () => ({
      bibtex: await textOf(of),
      addresses: { bib: addressOf(of, "bib"), cff: addressOf(of, "cff") },
    }),
  });

function textOf(of: Cited): Promise<string> {
  const form = "bib" as const;
  const parseAs = "text" as const;
  if ("shared" in of) {
    const params = { path: { submission_id: of.shared, form } };
    return answer(api.GET("/api/shared/{submission_id}/citation.{form}", { params, parseAs }));
  }
  if (!("team" in of)) {
    const params = { path: { ...of, form } };
    return answer(api.GET("/api/competitions/{slug}/citation.{form}", { params, parseAs }));
  }
  const params = { path: { ...of, form } };
  return answer(
    api.GET("/api/competitions/{slug}/phases/{phase}/citations/{team}.{form}", { params, parseAs }),
  );
}

function addressOf(of: Cited, form: string): string {
  if ("shared" in of) return `/api/shared/${of.shared}/citation.${form}`;
  const what = "team" in of ? `phases/${of.phase}/citations/${encodeURIComponent(of.team)}` : "citation";
  return `/api/competitions/${of.slug}/${what}.${form}`;
}
