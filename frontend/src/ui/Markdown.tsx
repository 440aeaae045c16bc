import { lazy, Suspense } from "react";
import { Prose } from "./Page";

const Rendered = lazy(async () => ({ default: (await import("../markdown/Rendered")).Rendered }));

/** An organiser's text in Markdown. Until the renderer is there, its source. */
export function Markdown({ text }: { text: string }) {
  return (
    <Suspense fallback={<Prose text={text} />}>
      <Rendered text={text} />
    </Suspense>
  );
}
