import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { createContext, useContext } from "react";
import { registration } from "../../api/queries/competition";
import type { CompetitionDetail, CompetitionRole, Phase } from "../../api/types";
import { currentPhase, firstPhase } from "../../words/time";

export const CompetitionContext = createContext<CompetitionDetail | null>(null);

/** The competition whose pages these are. */
export function useCompetition(): CompetitionDetail {
  const found = useContext(CompetitionContext);
  if (!found) throw new Error("useCompetition needs a Competition page around it");
  return found;
}

/** The reader's role in the competition; undefined until it is known. */
export function useRole(): CompetitionRole | null | undefined {
  return useQuery(registration(useCompetition().slug)).data?.role;
}

/** The phase to submit to: the one that the address names, else the one in which to begin. */
export function useSubmitPhase(): Phase | undefined {
  const { phases } = useCompetition();
  const { phase: slug } = useSearch({ strict: false });
  return slug === undefined ? firstPhase(phases, Date.now()) : phases.find((phase) => phase.slug === slug);
}

/** The phase that the address names, else the current one. Undefined where there is none. */
export function usePhase(): Phase | undefined {
  const { phases } = useCompetition();
  const { phase: slug } = useSearch({ strict: false });
  return slug === undefined ? currentPhase(phases, Date.now()) : phases.find((phase) => phase.slug === slug);
}
