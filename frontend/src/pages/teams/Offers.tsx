import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { answer, api } from "../../api/client";
import { offers } from "../../api/queries/team";
import type { Offer } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { Card, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { More } from "../../ui/More";
import { Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { useTeaming } from "./useTeaming";

/** Open offers: those that the reader may answer, and those that their teams have made. Nothing without any. */
export function Offers({ team }: { team?: string }) {
  const query = useInfiniteQuery(offers);
  return (
    <Await query={query} what="offers">
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        const shown = team ? items.filter((one) => one.team === team || one.other === team) : items;
        if (shown.length === 0) return null;
        return (
          <Section title="Open offers">
            {shown.map((one) => (
              <One key={one.id} of={one} />
            ))}
            <More of={query} />
          </Section>
        );
      }}
    </Await>
  );
}

function One({ of }: { of: Offer }) {
  const params = { path: { offer_id: of.id } };
  const accept = useTeaming(() => answer(api.POST("/api/offers/{offer_id}/accept", { params })));
  const decline = useTeaming(() => answer(api.POST("/api/offers/{offer_id}/decline", { params })));
  return (
    <Card>
      <p>
        <Link to="/teams/$name" params={{ name: of.team }}>
          <bdi>{of.team}</bdi>
        </Link>{" "}
        of {of.competition} <Words of={of} />
      </p>
      <Row>
        {of.yours_to_answer && of.other === null && (
          <Button look="main" busy={accept.isPending} onClick={() => accept.mutate(undefined)}>
            Join {of.team}
          </Button>
        )}
        {of.yours_to_answer && of.other !== null && (
          <Confirm
            act="Merge"
            look="main"
            title={`Merge ${of.other} into ${of.team}?`}
            busy={accept.isPending}
            onConfirm={() => accept.mutate(undefined)}
          >
            Your members and all that you submitted to {of.competition} count for {of.team} from now on, and
            its captain leads. You cannot undo this.
          </Confirm>
        )}
        <Button busy={decline.isPending} onClick={() => decline.mutate(undefined)}>
          {of.yours_to_answer ? "Decline" : "Withdraw"}
        </Button>
      </Row>
      <Notice error={accept.error ?? decline.error} />
    </Card>
  );
}

function Words({ of: { username, other, yours_to_answer } }: { of: Offer }) {
  if (other !== null) {
    return (
      <>
        offers <bdi>{other}</bdi> to become part of it.
      </>
    );
  }
  return yours_to_answer ? (
    "offers you a place."
  ) : (
    <>
      offers <bdi>{username}</bdi> a place.
    </>
  );
}
