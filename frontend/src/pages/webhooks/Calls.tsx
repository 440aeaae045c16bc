import { useInfiniteQuery } from "@tanstack/react-query";
import { hookCalls, type OwnerOfHooks, repeatCall } from "../../api/queries/hooks";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { More } from "../../ui/More";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { happeningInWords, hasEnded, outcomeOf } from "../../words/happenings";
import { useHooking } from "./useHooking";

/** What a webhook was called for, and what came of it. */
export function Calls({ of, webhook }: { of: OwnerOfHooks; webhook: string }) {
  const query = useInfiniteQuery({ ...hookCalls(of, webhook), refetchInterval: 5000 });
  const repeat = useHooking((call: string) => repeatCall(of, webhook, call));
  return (
    <>
      <Notice error={repeat.error} />
      <Await query={query} what="the calls">
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.items);
          if (rows.length === 0) return <p>It was not called yet.</p>;
          return (
            <Table
              label="Calls"
              rows={rows}
              keyOf={(call) => call.id}
              columns={[
                { name: "for", kind: "heading", show: (call) => happeningInWords(call.kind) },
                { name: "outcome", show: outcomeOf },
                { name: "when", show: (call) => <Moment at={call.created_at} /> },
                {
                  name: "acts",
                  kind: "acts",
                  show: (call) =>
                    hasEnded(call) && <Button onClick={() => repeat.mutate(call.id)}>Call again</Button>,
                },
              ]}
            />
          );
        }}
      </Await>
      <More of={query} />
    </>
  );
}
