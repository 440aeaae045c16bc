import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { announcements } from "../../api/queries/competition";
import { refresh } from "../../api/queries/keys";
import type { Announcement } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { FormCard } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Area, Field } from "../../ui/Field";
import { More } from "../../ui/More";
import { Prose, Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { Moment } from "../../ui/Time";
import { may } from "../../words/roles";
import { useCompetition, useRole } from "../competition/context";
import styles from "./Announcements.module.css";

/** What the organiser announced, newest first; the organiser posts and retracts here, too. */
export function Announcements() {
  const { slug } = useCompetition();
  const organises = may(useRole(), "organiser");
  const query = useInfiniteQuery(announcements(slug));
  return (
    <>
      {organises && (
        <Section title="Announce something">
          <Announce slug={slug} />
        </Section>
      )}
      <Section title="Announcements">
        <p>
          <a href={`/api/competitions/${slug}/announcements.atom`}>Follow them in a feed reader (Atom)</a>
        </p>
        <Await query={query} what="announcements">
          {({ pages }) => {
            const items = pages.flatMap((page) => page.items);
            if (items.length === 0) return <p>Nothing was announced yet.</p>;
            return items.map((one) => (
              <article key={one.id} className={styles.post}>
                <h3>{one.title}</h3>
                <p>
                  <Moment at={one.created_at} />
                </p>
                <Prose text={one.body} />
                {organises && <Retract slug={slug} of={one} />}
              </article>
            ));
          }}
        </Await>
        <More of={query} />
      </Section>
    </>
  );
}

function Announce({ slug }: { slug: string }) {
  const [title, setTitle] = useState("");
  const [body, setBody] = useState("");
  const client = useQueryClient();
  const post = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/competitions/{slug}/announcements", {
          params: { path: { slug } },
          body: { title, body },
        }),
      ),
    onSuccess: () => {
      setTitle("");
      setBody("");
      return refresh(client, "announcing");
    },
  });
  return (
    <FormCard onSubmit={() => post.mutate()}>
      <Field
        label="Title"
        required
        maxLength={200}
        value={title}
        onChange={(event) => setTitle(event.target.value)}
      />
      <Area
        label="Text"
        hint="Plain text; an empty line begins a paragraph. You cannot edit it later, only retract it."
        required
        rows={6}
        maxLength={20000}
        value={body}
        onChange={(event) => setBody(event.target.value)}
      />
      <Notice error={post.error} />
      <div>
        <Button type="submit" look="main" busy={post.isPending}>
          Announce
        </Button>
      </div>
    </FormCard>
  );
}

function Retract({ slug, of }: { slug: string; of: Announcement }) {
  const client = useQueryClient();
  const retract = useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/competitions/{slug}/announcements/{announcement_id}/retract", {
          params: { path: { slug, announcement_id: of.id } },
        }),
      ),
    onSuccess: () => refresh(client, "announcing"),
  });
  return (
    <>
      <Notice error={retract.error} />
      <Confirm
        act="Retract"
        title="Retract this announcement?"
        busy={retract.isPending}
        onConfirm={() => retract.mutate()}
      >
        It leaves the page and the feed. The record keeps it. You cannot undo this.
      </Confirm>
    </>
  );
}
