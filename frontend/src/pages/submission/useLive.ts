import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useReducer, useState } from "react";
import { follow } from "../../api/events";
import { refresh } from "../../api/queries/keys";
import type { Submission } from "../../api/types";
import { liveOf, reduce } from "../../words/live";

/** Follow a submission until it ends, then read it once more for its score or failure. */
export function useLive(shown: Submission) {
  const client = useQueryClient();
  const [live, take] = useReducer(reduce, shown, liveOf);
  const [connected, setConnected] = useState(true);
  const ended = live.ended || shown.ended;
  useEffect(() => {
    if (ended) return;
    return follow(shown.id, { onEvent: take, onConnection: setConnected });
  }, [shown.id, ended]);
  const isNews = live.ended && !shown.ended;
  useEffect(() => {
    if (!isNews) return;
    void refresh(client, "ending");
  }, [client, isNews]);
  return {
    live: shown.ended
      ? { ...live, ...standOf(shown), done: shown.seeds_done, written: shown.checkpoints_written }
      : live,
    connected,
  };
}

function standOf({ state, ended, cancellable }: Submission) {
  return { state, ended, cancellable };
}
