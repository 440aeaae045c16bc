import { useNavigate } from "@tanstack/react-router";
import { Require } from "../../app/Require";
import { Page } from "../../ui/Page";
import { Editor } from "./Editor";

const START = `lethe: 1
slug: my-cup
title: My cup
visibility: draft
description: |
  What it is about, in *Markdown*.
rules: |
  1. Be honest.
phases:
  - slug: feedback
    kind: feedback
    benchmark: NAME
    opens_at: 2027-01-01T12:00:00Z
    closes_at: 2027-02-01T12:00:00Z
    seeds: 64
    quota_per_day: 5
`;

/** A new competition from its file. */
export function NewFromFile() {
  const navigate = useNavigate();
  return (
    <Page title="New competition from a file">
      <Require least="organiser">
        {() => (
          <Editor
            start={START}
            onApplied={({ slug }) => void navigate({ to: "/competitions/$slug", params: { slug } })}
          />
        )}
      </Require>
    </Page>
  );
}
