import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { acts } from "../../api/queries/competition";
import { recordHead } from "../../api/queries/installation";
import type { Act } from "../../api/types";
import { Await } from "../../ui/Await";
import { More } from "../../ui/More";
import { Moment } from "../../ui/Time";
import { isolated } from "../../words/isolated";
import styles from "./Organise.module.css";

const ACTS: Record<Act, string> = {
  scored: "score computed",
  account_made: "account made",
  competition_created: "competition created",
  competition_weighed: "weight in the queue changed",
  competition_deleted: "competition deleted",
  file_applied: "file applied",
  phase_added: "phase added",
  phase_changed: "phase changed",
  campaign_started: "rescoring started",
  campaign_cancelled: "rescoring discarded",
  campaign_published: "rescoring published",
  campaign_undone: "rescoring undone",
  announced: "announcement posted",
  announcement_retracted: "announcement retracted",
  image_added: "image added",
  image_removed: "image removed",
  webhook_added: "webhook added",
  webhook_removed: "webhook removed",
  code_read: "code read",
  code_compared: "code compared",
  upload_downloaded: "upload downloaded",
  notebook_read: "executed notebook downloaded",
  entry_disqualified: "entry disqualified",
  entry_reinstated: "entry reinstated",
  team_disqualified: "team disqualified",
  team_reinstated: "team reinstated",
  entry_selected: "entry selected for a final",
  entry_unselected: "entry taken back from a final",
  final_started: "final started",
  final_published: "final published",
  references_asked: "reference rows asked for again",
  references_made: "reference rows made",
  final_sealed: "final sealed again",
  code_licensed: "agreed that code is published",
  code_licence_withdrawn: "agreement to publish code taken back",
  finalist_verified: "finalist verified",
  finalist_refused: "finalist refused",
  finalist_reviewed_again: "finalist in review again",
  finalist_run_again: "finalist run again",
  matrix_started: "entries run on other benchmarks",
  matrix_cancelled: "runs on other benchmarks cancelled",
  data_deleted: "data deleted as the retention says",
  entry_withdrawn: "entry withdrawn",
  entry_reentered: "entry entered again",
  benchmark_published: "benchmark published",
  benchmark_consented: "uploaded benchmark consented to",
  benchmark_refused: "uploaded benchmark refused",
  account_trusted: "trust to publish benchmarks changed",
  account_role_changed: "role on the platform changed",
  account_deleted: "account deleted",
  reset_link_made: "link for a new password made",
  member_added: "role given",
  member_removed: "role taken",
  owner_changed: "competition handed over",
  registration_changed: "way to register changed",
  registration_accepted: "registration approved",
  registration_refused: "registration refused",
  rules_accepted: "rules accepted",
  invitation_made: "invitation made",
  invitation_revoked: "invitation revoked",
  invitation_used: "invitation used",
  team_terms_changed: "terms of teams changed",
  team_made: "team made",
  team_renamed: "team renamed",
  team_joined: "team joined",
  team_left: "team left",
  team_member_removed: "member removed from a team",
  team_handed_over: "team handed over",
  team_invitation_made: "invitation to a team made",
  team_invitation_revoked: "invitation to a team revoked",
  team_offered: "team made an offer",
  team_offer_ended: "team's offer ended",
  teams_merged: "teams merged",
};

/** Who did what, and about what. Rows are added and never changed. */
export function Acts({ slug }: { slug: string }) {
  const query = useInfiniteQuery(acts(slug));
  return (
    <Await query={query} what="the history">
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        if (items.length === 0) return <p>Nothing is on record yet.</p>;
        return (
          <>
            <ol className={styles.list}>
              {items.map((act) => (
                <li key={act.id}>
                  <p>
                    <Moment at={act.created_at} />: {ACTS[act.act]}
                    {act.by && (
                      <>
                        {" "}
                        by <bdi>{act.by}</bdi>
                      </>
                    )}
                    {act.whom && (
                      <>
                        , about <bdi>{act.whom}</bdi>
                      </>
                    )}
                    {about(act.details)}
                  </p>
                </li>
              ))}
            </ol>
            <More of={query} />
          </>
        );
      }}
    </Await>
  );
}

/** What an act was about, as far as its details say. */
function about(details: Record<string, unknown>): ReactNode {
  const { phase, metric, re_run, submission, title, reason, version } = details;
  return (
    <>
      {typeof version === "number" && `, version ${version}`}
      {typeof phase === "string" && `, phase ${phase}`}
      {typeof metric === "string" && `, metric ${metric}`}
      {re_run === true && ", with new runs"}
      {typeof submission === "string" && (
        <>
          {", "}
          <Link to="/submissions/$id" params={{ id: submission }}>
            submission
          </Link>
        </>
      )}
      {typeof title === "string" && `: ${isolated(title)}`}
      {typeof reason === "string" && reason && `: ${isolated(reason)}`}
    </>
  );
}

/** What to keep, so that the record can be checked later. */
export function RecordHead() {
  const query = useQuery(recordHead);
  return (
    <Await query={query} what="the head of the record">
      {({ number, hash }) => (
        <p className={styles.wrapping}>
          The head of the record, which covers every act and score of this installation so far:{" "}
          <code>
            {number}:{hash}
          </code>
        </p>
      )}
    </Await>
  );
}
