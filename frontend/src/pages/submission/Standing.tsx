import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import { refresh } from "../../api/queries/keys";
import { submission } from "../../api/queries/submission";
import type { Exclusion, Submission } from "../../api/types";
import { buttonLook } from "../../ui/Button";
import { Confirm } from "../../ui/Confirm";
import { Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { Moment } from "../../ui/Time";
import { EnterFinals } from "../final/Enter";
import { Disqualify } from "../judging/Disqualify";
import styles from "./Standing.module.css";

/** Why an entry is off the leaderboard, in the words of whoever took it off. */
export function Exclusions({ of }: { of: readonly Exclusion[] }) {
  return of.map((one) => (
    <p key={one.id} className={styles.off}>
      {one.kind === "withdrawn" ? "Withdrawn by its team" : said(one)} <Moment at={one.created_at} />.{" "}
      {one.reason && <bdi>{one.reason}</bdi>}
    </p>
  ));
}

/** Why a disqualified entry competes again, in the words of whoever put it back. */
export function Reinstatements({ of }: { of: readonly Exclusion[] }) {
  return of.map((one) => (
    <p key={one.id}>
      {said(one)} <Moment at={one.created_at} /> (<bdi>{one.reason}</bdi>) and reinstated{" "}
      {one.ended_at && <Moment at={one.ended_at} />}. <bdi>{one.ended_reason}</bdi>
    </p>
  ));
}

function said({ submission_id }: Exclusion): string {
  return submission_id === null ? "The team was disqualified" : "This entry was disqualified";
}

/** What the team may do about its entry's place on the leaderboard, and the way to its code. */
export function EntryActs({ of }: { of: Submission }) {
  const withdrawn = of.exclusions.some((one) => one.kind === "withdrawn" && one.submission_id === of.id);
  return (
    <>
      <Link to="/submissions/$id/code" params={{ id: of.id }} className={buttonLook()}>
        Read the code
      </Link>
      {of.rights.annotates && (
        <Link
          to="/competitions/$slug/submit"
          params={{ slug: of.competition }}
          search={{ phase: of.phase, again: of.id }}
          className={buttonLook()}
        >
          Submit again
        </Link>
      )}
      {of.score && (
        <a
          href={`/api/submissions/${of.id}/receipt`}
          download={`receipt-${of.id}.json`}
          className={buttonLook()}
        >
          Download the receipt
        </a>
      )}
      <EnterFinals of={of} />
      {of.rights.withdraws && <Withdraw id={of.id} withdrawn={withdrawn} />}
    </>
  );
}

function Withdraw({ id, withdrawn }: { id: string; withdrawn: boolean }) {
  const client = useQueryClient();
  const params = { path: { submission_id: id } };
  const change = useMutation({
    mutationFn: () =>
      answer(
        withdrawn
          ? api.POST("/api/submissions/{submission_id}/reenter", { params })
          : api.POST("/api/submissions/{submission_id}/withdraw", { params }),
      ),
    onSuccess: (shown) => {
      client.setQueryData(submission(id).queryKey, shown);
      return refresh(client, "judging");
    },
  });
  return (
    <>
      <Notice error={change.error} />
      <Confirm
        act={withdrawn ? "Enter it again" : "Withdraw"}
        title={withdrawn ? "Let this submission compete again?" : "Withdraw this submission?"}
        look={withdrawn ? "main" : "danger"}
        busy={change.isPending}
        onConfirm={() => change.mutate()}
      >
        {withdrawn
          ? "It takes its place on the leaderboard again if it is your best."
          : "Your next-best submission takes its place on the leaderboard. You can take this back until a final opens."}
      </Confirm>
    </>
  );
}

/** The organiser's part of a submission's page. */
export function Judge({ of }: { of: Submission }) {
  if (!of.rights.judges) return null;
  return (
    <Section title="Disqualify this entry">
      <Disqualify slug={of.competition} submission={of} />
    </Section>
  );
}
