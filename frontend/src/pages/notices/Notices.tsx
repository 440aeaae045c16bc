import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, api } from "../../api/client";
import { notices } from "../../api/queries/account";
import { refresh } from "../../api/queries/keys";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { More } from "../../ui/More";
import { Page } from "../../ui/Page";
import { Notice as Problem } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";

/** What happened to somebody's submissions and competitions. */
export function Notices() {
  return <Require page="Notices">{() => <Own />}</Require>;
}

function Own() {
  const query = useInfiniteQuery(notices);
  const client = useQueryClient();
  const read = useMutation({
    mutationFn: () => answer(api.POST("/api/me/notices/read")),
    onSuccess: () => refresh(client, "noticing"),
  });
  return (
    <Page
      title="Notices"
      actions={
        <Button busy={read.isPending} onClick={() => read.mutate()}>
          Mark all as read
        </Button>
      }
    >
      <Problem error={read.error} />
      <Await query={query} what="notices">
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.items);
          if (rows.length === 0)
            return (
              <p>Nothing has happened yet. Notices say when a submission is scored, or a phase opens.</p>
            );
          return (
            <Table
              label="Notices"
              rows={rows}
              keyOf={(one) => one.id}
              columns={[
                {
                  name: "what happened",
                  kind: "heading",
                  show: (one) => (
                    <>
                      <a href={one.path}>{one.text}</a> {!one.read && <Badge tone="river">new</Badge>}
                    </>
                  ),
                },
                { name: "when", show: (one) => <Moment at={one.created_at} /> },
              ]}
            />
          );
        }}
      </Await>
      <More of={query} />
    </Page>
  );
}
