import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Await } from "../../ui/Await";
import { Page } from "../../ui/Page";
import { Empty } from "../../ui/states";
import styles from "./Docs.module.css";

/** The index and its reader load with the first search. */
const index = {
  queryKey: ["docs-index"],
  queryFn: async () => {
    const [{ default: json }, { readIndex, search }] = await Promise.all([
      import("virtual:docs/index"),
      import("../../docs/searching"),
    ]);
    const read = readIndex(json);
    return { search: (words: string) => search(read, words) };
  },
  staleTime: Number.POSITIVE_INFINITY,
};

export function Results({ of, onFollow }: { of: string; onFollow: () => void }) {
  const query = useQuery(index);
  return (
    <Page title="Search" tab={`${of}: documentation`}>
      <Await query={query} what="the index">
        {({ search }) => {
          const found = search(of);
          if (found.length === 0) {
            return <Empty title="Nothing found">Try fewer or other words.</Empty>;
          }
          return (
            <ol className={styles.results}>
              {found.map((one) => (
                <li key={one.id}>
                  <Link
                    to="/docs/$"
                    params={{ _splat: one.page }}
                    hash={one.anchor || undefined}
                    onClick={onFollow}
                  >
                    {one.title}
                  </Link>
                  {one.title !== one.of && <span> in {one.of}</span>}
                  <p>{one.start}</p>
                </li>
              ))}
            </ol>
          );
        }}
      </Await>
    </Page>
  );
}
