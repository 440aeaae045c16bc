import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useReducer, useState } from "react";
import { follow } from "../../api/events";
import { submission } from "../../api/queries";
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
    void client.invalidateQueries({ queryKey: submission(shown.id).queryKey });
    void client.invalidateQueries({ queryKey: ["submissions"] });
    void client.invalidateQueries({ queryKey: ["leaderboard"] });
  }, [client, isNews, shown.id]);
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
