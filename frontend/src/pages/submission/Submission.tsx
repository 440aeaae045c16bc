import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import { refresh } from "../../api/queries/keys";
import { submission } from "../../api/queries/submission";
import type { Submission as Shown } from "../../api/types";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
import { buttonLook } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Facts } from "../../ui/Facts";
import { Page, Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { Term } from "../../ui/Term";
import { Moment } from "../../ui/Time";
import { inWords } from "../../words/board";
import { isolated } from "../../words/isolated";
import { bytes, plain } from "../../words/numbers";
import { placeInWords } from "../../words/places";
import { InFinals } from "../final/Enter";
import { Details } from "./Details";
import { Failure } from "./Failure";
import { History } from "./History";
import { LiveStatus } from "./LiveStatus";
import { Losses } from "./Losses";
import { Meaning } from "./Meaning";
import { Narrowing } from "./Narrowing";
import { Notes } from "./Notes";
import { Printed } from "./Printed";
import { Results } from "./Results";
import { Scores } from "./Scores";
import { Sharing } from "./Sharing";
import { EntryActs, Exclusions, Judge, Reinstatements } from "./Standing";
import styles from "./Submission.module.css";
import { useLive } from "./useLive";

export function Submission() {
  const { id } = useParams({ from: "/submissions/$id" });
  return <Require page="Submission">{() => <Found key={id} id={id} />}</Require>;
}

function Found({ id }: { id: string }) {
  const query = useQuery(submission(id));
  return (
    <Await query={query} what="the submission" page="Submission">
      {(shown) => <Watched shown={shown} />}
    </Await>
  );
}

function Watched({ shown }: { shown: Shown }) {
  const { live, connected } = useLive(shown);
  return (
    <Page
      title={shown.name}
      lead={
        <>
          by <bdi>{shown.team}</bdi>, in{" "}
          <Link
            to="/competitions/$slug/leaderboard"
            params={{ slug: shown.competition }}
            search={{ phase: shown.phase }}
          >
            {shown.competition}, phase {shown.phase}
          </Link>
          , <Moment at={shown.submitted_at} />
        </>
      }
      actions={
        <>
          {live.cancellable && shown.rights.cancels && <Cancel id={shown.id} />}
          {live.ended && <Notebook of={shown} />}
          <EntryActs of={shown} />
        </>
      }
    >
      <Card>
        <LiveStatus live={live} connected={connected} />
        {shown.place && live.state === "queued" && (
          <p>When you opened this page: {placeInWords(shown.place)}</p>
        )}
        <InFinals of={shown} />
        <Exclusions of={shown.exclusions} />
        <Reinstatements of={shown.reinstatements} />
        {shown.failure && <Failure id={shown.id} of={shown.failure} />}
        {live.provisional.length > 0 && !shown.failure && (
          <Narrowing steps={live.provisional} final={shown.score} />
        )}
      </Card>
      <p className={styles.glossary}>
        The glossary explains <Term of="run">runs</Term>, <Term of="final score">final scores</Term>,{" "}
        <Term of="interval">intervals</Term>, <Term of="forgetting quality">forgetting quality</Term> and{" "}
        <Term of="utility">utility</Term>.
      </p>
      {shown.score && <Meaning of={shown} />}
      {shown.score && <Scores of={[shown.score, ...shown.other_scores]} />}
      {shown.score && shown.has_details && <Details id={shown.id} metric={shown.score.metric} />}
      {shown.score && shown.has_losses && <Losses id={shown.id} />}
      {shown.has_log && <Printed id={shown.id} />}
      {shown.score && <History of={shown} />}
      <Notes of={shown} />
      <Sharing of={shown} />
      <Results of={shown} />
      <Provenance of={shown} />
      <Judge of={shown} />
    </Page>
  );
}

function Cancel({ id }: { id: string }) {
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/submissions/{submission_id}/cancel", { params: { path: { submission_id: id } } }),
      ),
    onSuccess: (shown) => {
      client.setQueryData(submission(id).queryKey, shown);
      return refresh(client, "cancelling");
    },
  });
  return (
    <>
      <Notice error={cancel.error} />
      <Confirm
        act="Cancel submission"
        title="Cancel this submission?"
        busy={cancel.isPending}
        onConfirm={() => cancel.mutate()}
      >
        Its runs stop. The submission stays on record. It counts against your quota only if a run had started.
      </Confirm>
    </>
  );
}

function Notebook({ of }: { of: Shown }) {
  if (!of.has_notebook) return null;
  return (
    <a href={`/api/submissions/${of.id}/notebook`} download className={buttonLook()}>
      Download the executed notebook
    </a>
  );
}

function Provenance({ of }: { of: Shown }) {
  return (
    <Section title="Provenance">
      <Facts
        of={[
          ["File", `${isolated(of.filename)} (${of.kind}, ${bytes(of.size_bytes)})`],
          ["SHA-256", <code key="sha">{of.sha256}</code>],
          ["Evaluation", <code key="evaluation">{of.evaluation_id}</code>],
          ...(of.started_at ? [["Started", <Moment key="started" at={of.started_at} />] as const] : []),
          ...(of.finished_at ? [["Finished", <Moment key="finished" at={of.finished_at} />] as const] : []),
          ...(of.claim
            ? [["Claims", `(${plain(of.claim.epsilon)}, ${of.claim.delta})-unlearning`] as const]
            : []),
          ...Object.entries(of.provenance).map(([name, value]) => [inWords(name), String(value)] as const),
        ]}
      />
    </Section>
  );
}
