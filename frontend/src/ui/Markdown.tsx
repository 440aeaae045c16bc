import { lazy, Suspense } from "react";
import { Prose } from "./Page";

const Rendered = lazy(async () => ({ default: (await import("../markdown/Rendered")).Rendered }));

interface Props {
  text: string;
  /** The competition whose images it may show. */
  slug: string;
}

/** An organiser's text in Markdown. Until the renderer is there, its source. */
export function Markdown({ text, slug }: Props) {
  return (
    <Suspense fallback={<Prose text={text} />}>
      <Rendered text={text} slug={slug} />
    </Suspense>
  );
}
