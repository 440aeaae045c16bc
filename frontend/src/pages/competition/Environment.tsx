import { useQuery } from "@tanstack/react-query";
import { environments } from "../../api/queries/installation";
import { Section } from "../../ui/Page";
import styles from "./Environment.module.css";

/** What code finds in the sandbox. A worker tells it when it starts, so at first there may be nothing to show. */
export function Environment({ name }: { name: string }) {
  const { data } = useQuery(environments);
  const found = data?.items.find((one) => one.name === name);
  if (!found) return null;
  const packages = Object.entries(found.packages);
  return (
    <Section title={`Environment: ${name}`}>
      <p>Your code finds Python {found.python} and these packages. There is no network.</p>
      <ul className={styles.packages}>
        {packages.map(([one, version]) => (
          <li key={one}>
            <code>
              {one} {version}
            </code>
          </li>
        ))}
      </ul>
    </Section>
  );
}
