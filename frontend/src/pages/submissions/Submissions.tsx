import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { submissions } from "../../api/queries/submission";
import type { Submission } from "../../api/types";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { buttonLook } from "../../ui/Button";
import { More } from "../../ui/More";
import { Page, Section } from "../../ui/Page";
import { Empty } from "../../ui/states";
import { Ended } from "./Ended";
import { UnderWay } from "./UnderWay";

export function Submissions() {
  return (
    <Page title="My submissions" lead="The submissions of your teams, newest first.">
      <Require>{() => <Own />}</Require>
    </Page>
  );
}

function Own() {
  const { tag } = useSearch({ from: "/submissions" });
  const running = useInfiniteQuery(submissions({ ended: false, tag }));
  const ended = useInfiniteQuery(submissions({ ended: true, tag }));
  useEndings(running.data?.pages.flatMap((page) => page.items));
  return (
    <>
      {tag !== undefined && <Filtered by={tag} />}
      <Await query={running} what="your submissions">
        {({ pages: underWay }) => (
          <Await query={ended} what="your submissions">
            {({ pages }) => (
              <Both
                underWay={underWay.flatMap((page) => page.items)}
                ended={pages.flatMap((page) => page.items)}
                tag={tag}
                more={{ underWay: <More of={running} />, ended: <More of={ended} /> }}
              />
            )}
          </Await>
        )}
      </Await>
    </>
  );
}

/** What the list is narrowed to, and the way back. */
function Filtered({ by }: { by: string }) {
  return (
    <p>
      Only submissions with the tag <Badge>{by}</Badge> <Link to="/submissions">Show all submissions</Link>
    </p>
  );
}

interface BothProps {
  underWay: readonly Submission[];
  ended: readonly Submission[];
  tag: string | undefined;
  more: { underWay: React.ReactNode; ended: React.ReactNode };
}

function Both({ underWay, ended, tag, more }: BothProps) {
  if (underWay.length + ended.length === 0 && tag !== undefined) {
    return <Empty title="No submission has this tag">Tags are given on the page of a submission.</Empty>;
  }
  if (underWay.length + ended.length === 0) {
    return (
      <Empty
        title="No submissions yet"
        actions={
          <Link to="/competitions" className={buttonLook("main")}>
            Find a competition
          </Link>
        }
      >
        Choose a competition, download its starting kit and change the function in it.
      </Empty>
    );
  }
  return (
    <>
      {underWay.length > 0 && (
        <Section title="In progress">
          <UnderWay items={underWay} />
          {more.underWay}
        </Section>
      )}
      {ended.length > 0 && (
        <Section title="Finished">
          <Ended items={ended} />
          {more.ended}
        </Section>
      )}
    </>
  );
}

/** When something is no longer under way, it has ended: look again at what has. */
function useEndings(underWay: readonly Submission[] | undefined) {
  const client = useQueryClient();
  const ids = underWay?.map((one) => one.id).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the ids are what changes
  useEffect(() => {
    void client.invalidateQueries({ queryKey: submissions({ ended: true }).queryKey });
  }, [client, ids]);
}
