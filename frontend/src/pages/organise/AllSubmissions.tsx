import { keepPreviousData, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { answer, api } from "../../api/client";
import { refresh } from "../../api/queries/keys";
import { allSubmissions } from "../../api/queries/submission";
import type { CompetitionDetail, Submission } from "../../api/types";
import { Await } from "../../ui/Await";
import { Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Choice, Field } from "../../ui/Field";
import { More } from "../../ui/More";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { isolated } from "../../words/isolated";
import { STATE_WORDS, STATES } from "../../words/states";
import { NAME, SCORE, STATE, SUBMITTED } from "../submissions/columns";

/** What everybody submitted to the competition: found by phase, state and team, looked at, cancelled. */
export function AllSubmissions({ of: { slug, phases } }: { of: CompetitionDetail }) {
  const [phase, setPhase] = useState("");
  const [state, setState] = useState("");
  const [team, setTeam] = useState("");
  const sought = {
    phase: phase || undefined,
    state: STATES.find((one) => one === state),
    team: useDeferredValue(team) || undefined,
  };
  const query = useInfiniteQuery({ ...allSubmissions(slug, sought), placeholderData: keepPreviousData });
  return (
    <>
      <Row>
        <Choice
          label="Phase"
          value={phase}
          onChange={(event) => setPhase(event.target.value)}
          options={[
            { value: "", label: "all" },
            ...phases.map((one) => ({ value: one.slug, label: one.slug })),
          ]}
        />
        <Choice
          label="State"
          value={state}
          onChange={(event) => setState(event.target.value)}
          options={[
            { value: "", label: "any" },
            ...STATES.map((one) => ({ value: one, label: STATE_WORDS[one] })),
          ]}
        />
        <Field
          label="Team name contains"
          type="search"
          maxLength={100}
          value={team}
          onChange={(event) => setTeam(event.target.value)}
        />
      </Row>
      <Await query={query} what="submissions">
        {({ pages }) => <Listed items={pages.flatMap((page) => page.items)} />}
      </Await>
      <More of={query} />
    </>
  );
}

function Listed({ items }: { items: readonly Submission[] }) {
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: (submission_id: string) =>
      answer(api.POST("/api/submissions/{submission_id}/cancel", { params: { path: { submission_id } } })),
    onSettled: () => refresh(client, "cancelling"),
  });
  if (items.length === 0) return <p>No submissions match.</p>;
  return (
    <>
      <Notice error={cancel.error} />
      <Table
        label="All submissions"
        rows={items}
        keyOf={(item) => item.id}
        columns={[
          NAME,
          { name: "team", show: (item) => item.team },
          { name: "phase", show: (item) => item.phase },
          STATE,
          SCORE,
          SUBMITTED,
          {
            name: "cancel",
            kind: "acts",
            show: (item) =>
              item.cancellable &&
              item.rights.cancels && (
                <Confirm
                  act="Cancel"
                  title={`Cancel ${isolated(item.name)} by ${isolated(item.team)}?`}
                  busy={cancel.isPending && cancel.variables === item.id}
                  onConfirm={() => cancel.mutate(item.id)}
                >
                  Its runs stop. The submission stays on record. It counts against the team&rsquo;s quota only
                  if a run had started.
                </Confirm>
              ),
          },
        ]}
      />
    </>
  );
}
