import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { Button } from "../../ui/Button";
import { Card, Row } from "../../ui/Card";
import { Page } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { happeningInWords } from "../../words/happenings";
import { secretOfLink } from "./secret";

/** Where the link in a mail leads that stops such mail, without a login. A click stops it: what only looks does not. */
export function StopMail() {
  const [link] = useState(secretOfLink);
  const stop = useMutation({
    mutationFn: (everything: boolean) =>
      answer(api.POST("/api/mail-stops/{link}", { params: { path: { link }, query: { everything } } })),
  });
  const kind = link.split("_")[1] ?? "";
  return (
    <Page title="Stop mail" narrow>
      <Card>
        {stop.isSuccess ? (
          <p role="status">
            {stop.variables ? "You get no more mail about competitions." : "You get no more such mail."} Your{" "}
            <Link to="/account">account page</Link> says what you are told, and how.
          </p>
        ) : (
          <>
            <p>You got a mail of this kind: {happeningInWords(kind)}.</p>
            <Notice error={stop.error} />
            <Row>
              <Button look="main" busy={stop.isPending} onClick={() => stop.mutate(false)}>
                Stop such mail
              </Button>
              <Button busy={stop.isPending} onClick={() => stop.mutate(true)}>
                Stop all mail about competitions
              </Button>
            </Row>
          </>
        )}
      </Card>
    </Page>
  );
}
