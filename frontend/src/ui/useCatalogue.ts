import { useQuery } from "@tanstack/react-query";
import { catalogue } from "../api/queries/installation";
import type { Catalogue } from "../api/types";
import { NOTHING } from "../words/catalogue";

/** The server's catalogue, empty until it has come. */
export function useCatalogue(): Catalogue {
  return useQuery(catalogue).data ?? NOTHING;
}
