import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { printed } from "../../api/queries/submission";
import { Await } from "../../ui/Await";
import { Section } from "../../ui/Page";
import styles from "./Printed.module.css";

/** The last that the runs printed, read when somebody wants to see it. */
export function Printed({ id }: { id: string }) {
  const [open, setOpen] = useState(false);
  const query = useQuery({ ...printed(id), enabled: open });
  return (
    <Section title="Log">
      <details className={styles.log} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>Show the end of the printed output</summary>
        {open && (
          <Await query={query} what="the log">
            {(text) => (
              // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
              <section tabIndex={0} aria-label="Log">
                <pre>{text}</pre>
              </section>
            )}
          </Await>
        )}
      </details>
    </Section>
  );
}
