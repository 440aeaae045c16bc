import { useLocation } from "@tanstack/react-router";
import { anchorOf } from "../../docs/sections";
import { Section } from "../../ui/Page";
import styles from "./Glossary.module.css";
import { GLOSSARY } from "./terms";

/** What each word means. The one that a link led to is marked: `:target` does not follow the router. */
export function Glossary() {
  const { hash } = useLocation();
  return (
    <>
      {GLOSSARY.map(({ title, meanings }) => (
        <Section key={title} title={title}>
          <dl className={styles.terms}>
            {meanings.map(({ term, meaning }) => (
              <div
                key={term}
                id={anchorOf(term)}
                className={hash === anchorOf(term) ? styles.sought : undefined}
              >
                <dt>{term}</dt>
                <dd>{meaning}</dd>
              </div>
            ))}
          </dl>
        </Section>
      ))}
    </>
  );
}
