import { useSearch } from "@tanstack/react-router";
import { createContext, useContext } from "react";
import type { CompetitionDetail, Phase } from "../../api/types";
import { currentPhase } from "../../words/time";

export const CompetitionContext = createContext<CompetitionDetail | null>(null);

/** The competition whose pages these are. */
export function useCompetition(): CompetitionDetail {
  const found = useContext(CompetitionContext);
  if (!found) throw new Error("useCompetition needs a Competition page around it");
  return found;
}

/** The phase that the address names, else the current one. Undefined where there is none. */
export function usePhase(): Phase | undefined {
  const { phases } = useCompetition();
  const { phase: slug } = useSearch({ strict: false });
  return slug === undefined ? currentPhase(phases, Date.now()) : phases.find((phase) => phase.slug === slug);
}
