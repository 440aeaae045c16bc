import { useMutation, useQueryClient } from "@tanstack/react-query";
import { refresh } from "../../api/queries/keys";

/** An act on teams, and then a fresh look at all that it may have changed. */
export function useTeaming<T, R>(act: (of: T) => Promise<R>, done?: (made: R) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: done,
    onSettled: () => refresh(client, "teaming"),
  });
}
