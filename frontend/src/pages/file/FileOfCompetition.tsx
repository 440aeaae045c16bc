import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { competitionFile, competitions, competitionVersions } from "../../api/queries/competition";
import { Await } from "../../ui/Await";
import { Button, buttonLook } from "../../ui/Button";
import { Confirm } from "../../ui/Confirm";
import { More } from "../../ui/More";
import { Section } from "../../ui/Page";
import { Notice } from "../../ui/states";
import { Moment } from "../../ui/Time";
import { may } from "../../words/roles";
import { useCompetition } from "../competition/context";
import { Within } from "../competition/Within";
import { Editor } from "./Editor";
import styles from "./File.module.css";
import { Images } from "./Images";

/** Everything about a competition in one file, for who organises it. */
export function FileOfCompetition() {
  const { slug } = useCompetition();
  return <Within least="organiser">{(role) => <Parts slug={slug} deletes={may(role, "owner")} />}</Within>;
}

function Parts({ slug, deletes }: { slug: string; deletes: boolean }) {
  const query = useQuery(competitionFile(slug));
  const [shown, setShown] = useState<{ text: string; number: number }>();
  return (
    <Await query={query} what="the file">
      {({ text }) => (
        <div className={styles.page}>
          <p>
            The file says everything of this competition: its texts, its phases and who sees it. Change it,
            look at what would change, and apply it.
          </p>
          <p>
            <a
              className={buttonLook()}
              href={`data:application/yaml;charset=utf-8,${encodeURIComponent(text)}`}
              download={`${slug}.yaml`}
            >
              Download the file
            </a>
          </p>
          <Editor
            key={shown?.number ?? 0}
            start={shown?.text ?? text}
            onApplied={() => void query.refetch()}
          />
          <Section title="Images">
            <Images slug={slug} />
          </Section>
          <Section title="Versions">
            <Versions slug={slug} onShow={setShown} />
          </Section>
          {deletes && (
            <Section title="Delete">
              <Delete slug={slug} />
            </Section>
          )}
        </div>
      )}
    </Await>
  );
}

function Versions({
  slug,
  onShow,
}: {
  slug: string;
  onShow: (version: { text: string; number: number }) => void;
}) {
  const query = useInfiniteQuery(competitionVersions(slug));
  const show = useMutation({
    mutationFn: (number: number) =>
      answer(
        api.GET("/api/competitions/{slug}/file/versions/{number}", { params: { path: { slug, number } } }),
      ),
    onSuccess: onShow,
  });
  return (
    <Await query={query} what="the versions">
      {({ pages }) => {
        const items = pages.flatMap((page) => page.items);
        if (items.length === 0) return <p>No file was applied yet.</p>;
        return (
          <>
            <ol className={styles.list}>
              {items.map(({ number, by, created_at }) => (
                <li key={number}>
                  Version {number}, <Moment at={created_at} /> by <bdi>{by}</bdi>{" "}
                  <Button onClick={() => show.mutate(number)}>
                    Edit<span className="visually-hidden"> version {number}</span>
                  </Button>
                </li>
              ))}
            </ol>
            <Notice error={show.error} />
            <More of={query} />
          </>
        );
      }}
    </Await>
  );
}

function Delete({ slug }: { slug: string }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => answer(api.DELETE("/api/competitions/{slug}", { params: { path: { slug } } })),
    onSuccess: async () => {
      await navigate({ to: "/competitions" });
      await client.invalidateQueries({ queryKey: competitions.queryKey });
    },
  });
  return (
    <>
      <p>A competition can be deleted until somebody has submitted to it. After that, archive it.</p>
      <Notice error={remove.error} />
      <div>
        <Confirm
          act="Delete"
          title="Delete this competition?"
          busy={remove.isPending}
          onConfirm={() => remove.mutate()}
        >
          You cannot undo this. The record keeps what was done.
        </Confirm>
      </div>
    </>
  );
}
