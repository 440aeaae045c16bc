import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { submissions } from "../../api/queries/submission";
import type { Submission } from "../../api/types";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
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
  const running = useInfiniteQuery(submissions({ ended: false }));
  const ended = useInfiniteQuery(submissions({ ended: true }));
  useEndings(running.data?.pages.flatMap((page) => page.items));
  return (
    <Await query={running} what="your submissions">
      {({ pages: underWay }) => (
        <Await query={ended} what="your submissions">
          {({ pages }) => (
            <Both
              underWay={underWay.flatMap((page) => page.items)}
              ended={pages.flatMap((page) => page.items)}
              more={{ underWay: <More of={running} />, ended: <More of={ended} /> }}
            />
          )}
        </Await>
      )}
    </Await>
  );
}

interface BothProps {
  underWay: readonly Submission[];
  ended: readonly Submission[];
  more: { underWay: React.ReactNode; ended: React.ReactNode };
}

function Both({ underWay, ended, more }: BothProps) {
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
