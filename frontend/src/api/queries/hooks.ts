/** Webhooks: one's own, or those of a competition, and their calls. */
import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "../client";
import type { HappeningKind } from "../types";
import { keyOf, paged } from "./keys";

/** Whose webhooks they are: a competition's, or with null one's own. */
export type OwnerOfHooks = string | null;

export const webhooks = (of: OwnerOfHooks) =>
  queryOptions({
    queryKey: keyOf("webhooks", of),
    queryFn: () =>
      answer(
        of === null
          ? api.GET("/api/me/webhooks")
          : api.GET("/api/competitions/{slug}/webhooks", { params: { path: { slug: of } } }),
      ),
  });

/** The calls of a webhook, newest first. */
export const hookCalls = (of: OwnerOfHooks, webhook_id: string) =>
  paged(keyOf("webhooks", of, "calls", webhook_id), (after) => {
    const query = { limit: 20, after };
    return answer(
      of === null
        ? api.GET("/api/me/webhooks/{webhook_id}/calls", { params: { path: { webhook_id }, query } })
        : api.GET("/api/competitions/{slug}/webhooks/{webhook_id}/calls", {
            params: { path: { slug: of, webhook_id }, query },
          }),
    );
  });

export const addHook = (of: OwnerOfHooks, body: { url: string; kinds: HappeningKind[] }) =>
  answer(
    of === null
      ? api.POST("/api/me/webhooks", { body })
      : api.POST("/api/competitions/{slug}/webhooks", { params: { path: { slug: of } }, body }),
  );

export const removeHook = (of: OwnerOfHooks, webhook_id: string) =>
  answer(
    of === null
      ? api.DELETE("/api/me/webhooks/{webhook_id}", { params: { path: { webhook_id } } })
      : api.DELETE("/api/competitions/{slug}/webhooks/{webhook_id}", {
          params: { path: { slug: of, webhook_id } },
        }),
  );

export const testHook = (of: OwnerOfHooks, webhook_id: string) =>
  answer(
    of === null
      ? api.POST("/api/me/webhooks/{webhook_id}/test", { params: { path: { webhook_id } } })
      : api.POST("/api/competitions/{slug}/webhooks/{webhook_id}/test", {
          params: { path: { slug: of, webhook_id } },
        }),
  );

export const repeatCall = (of: OwnerOfHooks, webhook_id: string, call_id: string) =>
  answer(
    of === null
      ? api.POST("/api/me/webhooks/{webhook_id}/calls/{call_id}/repeat", {
          params: { path: { webhook_id, call_id } },
        })
      : api.POST("/api/competitions/{slug}/webhooks/{webhook_id}/calls/{call_id}/repeat", {
          params: { path: { slug: of, webhook_id, call_id } },
        }),
  );
