import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { me } from "../../api/queries/account";
import { members } from "../../api/queries/competition";
import type { CompetitionRole, Member } from "../../api/types";
import { Await } from "../../ui/Await";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Choice, Field } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { isolated } from "../../words/isolated";
import { usePeopling } from "./usePeopling";

interface Props {
  slug: string;
  /** The reader's. */
  role: CompetitionRole;
}

/** Who owns, runs and reviews the competition. The owner changes it; everybody else may leave. */
export function Members({ slug, role }: Props) {
  const query = useQuery(members(slug));
  const { data: who } = useQuery(me);
  const params = { path: { slug } };
  const remove = usePeopling((username: string) =>
    answer(
      api.DELETE("/api/competitions/{slug}/members/{username}", { params: { path: { slug, username } } }),
    ),
  );
  const handOver = usePeopling((username: string) =>
    answer(api.POST("/api/competitions/{slug}/owner", { params, body: { username } })),
  );
  const leave = usePeopling(() => answer(api.POST("/api/competitions/{slug}/leave", { params })));
  const acts = (of: Member) => {
    if (of.role === "owner") return null;
    if (role !== "owner") {
      return (
        of.username === who?.account.username && (
          <Confirm
            act="Leave"
            title="Give up your role?"
            busy={leave.isPending}
            onConfirm={() => leave.mutate(undefined)}
          >
            You no longer see what organisers and reviewers see. Only the owner can give you a role again.
          </Confirm>
        )
      );
    }
    return (
      <Row>
        <Confirm
          act="Hand over"
          title={`Make ${isolated(of.username)} the owner?`}
          busy={handOver.isPending}
          onConfirm={() => handOver.mutate(of.username)}
        >
          The new owner decides who runs the competition. The owner of today becomes an organiser.
        </Confirm>
        <Confirm
          act="Remove"
          title={`Take the role of ${isolated(of.username)}?`}
          busy={remove.isPending}
          onConfirm={() => remove.mutate(of.username)}
        >
          They no longer see what organisers and reviewers see. What they did stays.
        </Confirm>
      </Row>
    );
  };
  return (
    <>
      {role === "owner" && <AddMember slug={slug} />}
      <Notice error={remove.error ?? handOver.error ?? leave.error} />
      <Await query={query} what="roles">
        {({ items }) => (
          <Table
            label="Roles"
            rows={items}
            keyOf={(one) => one.username}
            columns={[
              { name: "username", kind: "heading", show: (one) => <bdi>{one.username}</bdi> },
              {
                name: "role",
                kind: "badges",
                show: (one) => <Badge tone={one.role === "owner" ? "river" : "calm"}>{one.role}</Badge>,
              },
              { name: "since", show: (one) => <Moment at={one.since} /> },
              { name: "change", kind: "acts", show: acts },
            ]}
          />
        )}
      </Await>
    </>
  );
}

const ROLES = [
  { value: "organiser", label: "Organiser: runs the competition" },
  { value: "reviewer", label: "Reviewer: reads the same, changes nothing" },
] as const;

function AddMember({ slug }: { slug: string }) {
  const [username, setUsername] = useState("");
  const [role, setRole] = useState<"organiser" | "reviewer">("organiser");
  const add = usePeopling(
    () =>
      answer(
        api.POST("/api/competitions/{slug}/members", {
          params: { path: { slug } },
          body: { username, role },
        }),
      ),
    () => setUsername(""),
  );
  return (
    <FormCard onSubmit={() => add.mutate(undefined)}>
      <Row>
        <Field
          label="Username"
          required
          maxLength={39}
          autoComplete="off"
          value={username}
          onChange={(event) => setUsername(event.target.value)}
        />
        <Choice
          label="Role"
          value={role}
          onChange={(event) => setRole(event.target.value === "reviewer" ? "reviewer" : "organiser")}
          options={ROLES}
        />
        <Button type="submit" look="main" busy={add.isPending}>
          Give the role
        </Button>
      </Row>
      <Notice error={add.error} />
    </FormCard>
  );
}
