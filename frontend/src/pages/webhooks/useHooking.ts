import { type MutationFunction, useMutation, useQueryClient } from "@tanstack/react-query";
import { refresh } from "../../api/queries/keys";

/** Something one does to webhooks; their list and calls are then read anew. */
export function useHooking<Given, Answer>(act: MutationFunction<Answer, Given>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: act, onSuccess: () => refresh(client, "hooking") });
}
