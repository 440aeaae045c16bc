import { useMutation, useQueryClient } from "@tanstack/react-query";
import { refresh } from "../../api/queries/keys";

/** An act on the people of a competition, and then a fresh look at all that it may have changed. */
export function usePeopling<T>(act: (of: T) => Promise<unknown>, done?: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: done,
    onSettled: () => refresh(client, "peopling"),
  });
}
