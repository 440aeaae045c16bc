import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useDeferredValue, useState } from "react";
import { answer, api } from "../../api/client";
import { registrations } from "../../api/queries/competition";
import type { Registration, RegistrationState } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Area, Choice, Field, Tick } from "../../ui/Field";
import { More } from "../../ui/More";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { usePeopling } from "./usePeopling";

const STATES = ["waiting", "accepted", "refused"] as const satisfies readonly RegistrationState[];
const TONE = { waiting: "warn", accepted: "good", refused: "bad" } as const;

interface Props {
  slug: string;
  organises: boolean;
}

/** Who takes part or asked to, found by state and by how the username begins; several are decided at once. */
export function Registrations({ slug, organises }: Props) {
  const [state, setState] = useState<string>("waiting");
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const sought = {
    state: STATES.find((one) => one === state),
    search: useDeferredValue(search) || undefined,
  };
  const query = useInfiniteQuery({ ...registrations(slug, sought), placeholderData: keepPreviousData });
  const choose = (username: string, wanted: boolean) =>
    setChosen((before) => {
      const after = new Set(before);
      if (wanted) after.add(username);
      else after.delete(username);
      return after;
    });
  return (
    <>
      <Row>
        <Choice
          label="State"
          value={state}
          onChange={(event) => setState(event.target.value)}
          options={[{ value: "", label: "any" }, ...STATES.map((one) => ({ value: one, label: one }))]}
        />
        <Field
          label="Username begins with"
          type="search"
          maxLength={39}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      </Row>
      {organises && (
        <Decide slug={slug} usernames={[...chosen].sort()} onDecided={() => setChosen(new Set())} />
      )}
      <Await query={query} what="registrations">
        {({ pages }) => (
          <Listed
            rows={pages.flatMap((page) => page.items)}
            chosen={chosen}
            onChoose={organises ? choose : undefined}
          />
        )}
      </Await>
      <More of={query} />
    </>
  );
}

interface ListedProps {
  rows: readonly Registration[];
  chosen: ReadonlySet<string>;
  onChoose?: (username: string, wanted: boolean) => void;
}

function Listed({ rows, chosen, onChoose }: ListedProps) {
  if (rows.length === 0) return <p>No registrations match.</p>;
  return (
    <Table
      label="Registrations"
      rows={rows}
      keyOf={(one) => one.username}
      columns={[
        {
          name: "username",
          kind: "heading",
          show: ({ username }) =>
            onChoose ? (
              <Tick
                label={username}
                checked={chosen.has(username)}
                onChange={(event) => onChoose(username, event.target.checked)}
              />
            ) : (
              <bdi>{username}</bdi>
            ),
        },
        {
          name: "team",
          show: ({ team }) =>
            team ? (
              <Link to="/teams/$name" params={{ name: team }}>
                <bdi>{team}</bdi>
              </Link>
            ) : (
              "–"
            ),
        },
        { name: "state", kind: "badges", show: (one) => <Badge tone={TONE[one.state]}>{one.state}</Badge> },
        { name: "since", show: (one) => <Moment at={one.decided_at ?? one.created_at} /> },
        {
          name: "rules accepted",
          show: (one) => (one.rules_accepted_at ? <Moment at={one.rules_accepted_at} /> : "–"),
        },
        { name: "reason", show: (one) => one.reason ?? "–" },
      ]}
    />
  );
}

interface DecideProps {
  slug: string;
  usernames: string[];
  onDecided: () => void;
}

function Decide({ slug, usernames, onDecided }: DecideProps) {
  const [reason, setReason] = useState("");
  const params = { path: { slug } };
  const approve = usePeopling(
    () => answer(api.POST("/api/competitions/{slug}/registrations/approve", { params, body: { usernames } })),
    onDecided,
  );
  const refuse = usePeopling(
    () =>
      answer(
        api.POST("/api/competitions/{slug}/registrations/refuse", { params, body: { usernames, reason } }),
      ),
    onDecided,
  );
  const none = usernames.length === 0;
  return (
    <>
      <Notice error={approve.error ?? refuse.error} />
      <Row>
        <Button
          look="main"
          busy={approve.isPending}
          disabled={none}
          onClick={() => approve.mutate(undefined)}
        >
          {none ? "Approve" : `Approve ${usernames.length}`}
        </Button>
        <Confirm
          act={none ? "Refuse" : `Refuse ${usernames.length}`}
          title="Refuse their registration?"
          busy={refuse.isPending}
          disabled={none}
          onConfirm={() => refuse.mutate(undefined)}
        >
          <p>{usernames.join(", ")}: they can submit no more. What they submitted stays.</p>
          <Area
            label="Reason"
            hint="Each of them sees it."
            required
            rows={3}
            maxLength={2000}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </Confirm>
      </Row>
    </>
  );
}
