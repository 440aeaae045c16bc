import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../../api/client";
import { competitions } from "../../api/queries/competition";
import { Button } from "../../ui/Button";
import { FormCard } from "../../ui/Card";
import { Area, Field } from "../../ui/Field";
import { Notice } from "../../ui/states";

const START = { slug: "", title: "", description: "" };

/** A new competition, without phases yet: the page that follows adds them. */
export function NewCompetition() {
  const [values, setValues] = useState(START);
  const navigate = useNavigate();
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: () => answer(api.POST("/api/competitions", { body: values })),
    onSuccess: async ({ slug }) => {
      await client.invalidateQueries({ queryKey: competitions.queryKey });
      await navigate({ to: "/competitions/$slug/organise", params: { slug } });
    },
  });
  const bind = (name: keyof typeof START) => ({
    name,
    value: values[name],
    onChange: (event: { target: { value: string } }) => setValues({ ...values, [name]: event.target.value }),
  });
  return (
    <FormCard onSubmit={() => make.mutate()}>
      <Field label="Title" required maxLength={200} {...bind("title")} />
      <Field
        label="Short name"
        hint="Used in addresses and commands. Use lower-case letters, digits and hyphens; begin and end with a letter or digit."
        required
        pattern="[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?"
        title="Use at most 63 lower-case letters, digits and hyphens; begin and end with a letter or digit."
        {...bind("slug")}
      />
      <Area label="Description" rows={6} maxLength={100_000} {...bind("description")} />
      <Notice error={make.error} />
      <Button type="submit" look="main" busy={make.isPending}>
        Create competition
      </Button>
    </FormCard>
  );
}
