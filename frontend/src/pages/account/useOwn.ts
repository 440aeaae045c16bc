import { useMutation, useQueryClient } from "@tanstack/react-query";
import { me } from "../../api/queries/account";

/** A change of the own account, after which it is read anew. */
export function useOwn<T, V = void>(change: (given: V) => Promise<T>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ queryKey: me.queryKey }),
  });
}
