import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { competitionImages } from "../../api/queries/competition";
import { refresh } from "../../api/queries/keys";
import type { CompetitionImage } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Confirm } from "../../ui/Confirm";
import { Copy } from "../../ui/Copy";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { Table } from "../../ui/Table";
import { imageName } from "../../words/markdown";
import { bytes } from "../../words/numbers";
import styles from "./File.module.css";

/** The images that the texts of a competition show. */
export function Images({ slug }: { slug: string }) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: (name: string) =>
      answer(api.DELETE("/api/competitions/{slug}/images/{name}", { params: { path: { slug, name } } })),
    onSuccess: () => refresh(client, "picturing"),
  });
  return (
    <>
      <Upload slug={slug} />
      <Notice error={remove.error} />
      <Await query={useQuery(competitionImages(slug))} what="the images">
        {({ items }) =>
          items.length > 0 && (
            <Table
              label="Images"
              rows={items}
              keyOf={(one: CompetitionImage) => one.sha256}
              columns={[
                { name: "name", kind: "heading", show: (one) => one.name },
                {
                  name: "image",
                  show: (one) => (
                    <img
                      className={styles.thumbnail}
                      src={`/api/competitions/${slug}/images/${one.name}?${one.sha256}`}
                      alt={one.name}
                    />
                  ),
                },
                {
                  name: "size",
                  show: (one) => `${one.width_px} × ${one.height_px} pixels, ${bytes(one.size_bytes)}`,
                },
                {
                  name: "acts",
                  kind: "acts",
                  show: (one) => (
                    <Row>
                      <Copy text={`![words](images/${one.name})`} what="Copy the Markdown" />
                      <Confirm
                        act="Remove"
                        title={`Remove ${one.name}?`}
                        busy={remove.isPending}
                        onConfirm={() => remove.mutate(one.name)}
                      >
                        Texts that show it say its words instead.
                      </Confirm>
                    </Row>
                  ),
                },
              ]}
            />
          )
        }
      </Await>
    </>
  );
}

function Upload({ slug }: { slug: string }) {
  const [file, setFile] = useState<File | null>(null);
  const client = useQueryClient();
  const add = useMutation({
    mutationFn: (image: File) =>
      answer(
        api.PUT("/api/competitions/{slug}/images/{name}", {
          params: { path: { slug, name: imageName(image.name) } },
          // the client sends a file as it is
          body: image as unknown as string,
          bodySerializer: (body: unknown) => body as Blob,
          headers: { "Content-Type": "application/octet-stream" },
        }),
      ),
    onSuccess: () => refresh(client, "picturing"),
  });
  return (
    <FormCard onSubmit={() => file && add.mutate(file)}>
      <Field
        label="Image"
        hint="PNG, JPEG or WebP of at most 1 MiB. A text shows it by ![words](images/NAME); words are read to whoever cannot see it."
        type="file"
        accept=".png,.jpg,.jpeg,.webp"
        required
        onChange={(event) => setFile(event.target.files?.[0] ?? null)}
      />
      <Notice error={add.error} />
      <Row>
        <Button type="submit" busy={add.isPending} disabled={file === null}>
          Add the image
        </Button>
        {add.isSuccess && <p role="status">Added as {add.data.name}.</p>}
      </Row>
    </FormCard>
  );
}
