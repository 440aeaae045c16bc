import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import { refresh } from "../../api/queries/keys";
import type { Submission } from "../../api/types";
import { Button } from "../../ui/Button";
import { Row } from "../../ui/Card";
import { Copy } from "../../ui/Copy";
import { Section } from "../../ui/Page";
import { Notice } from "../../ui/states";

/** Whether the team shows the score to everybody, and where. */
export function Sharing({ of: { id, score, shared, rights } }: { of: Submission }) {
  const client = useQueryClient();
  const params = { path: { submission_id: id } };
  const change = useMutation<unknown>({
    mutationFn: () =>
      shared
        ? answer(api.DELETE("/api/submissions/{submission_id}/share", { params }))
        : answer(api.PUT("/api/submissions/{submission_id}/share", { params })),
    onSuccess: () => refresh(client, "sharing"),
  });
  if (!score || !rights.annotates) return null;
  return (
    <Section title="Share">
      {shared ? (
        <p>
          Everybody who has the link sees{" "}
          <Link to="/shared/$id" params={{ id }}>
            its public page
          </Link>
          : name, team, score and place. Code, note and downloads stay yours.
        </p>
      ) : (
        <p>
          A public page shows its name, team, score and place to everybody who has the link, and says how to
          cite it. Code, note and downloads stay yours.
        </p>
      )}
      <Notice error={change.error} />
      <Row>
        <Button busy={change.isPending} onClick={() => change.mutate()}>
          {shared ? "Stop sharing" : "Share this submission"}
        </Button>
        {shared && <Copy text={`${location.origin}/shared/${id}`} what="Copy the link" />}
      </Row>
    </Section>
  );
}
