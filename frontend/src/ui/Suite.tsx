/** The secondary columns of a suite: their values, and what they mean. */
import type { Catalogue } from "../api/types";
import { columnInfo, explain } from "../words/catalogue";
import { plain } from "../words/numbers";
import { Facts } from "./Facts";
import { useCatalogue } from "./useCatalogue";

/** Title and value of each column, with its unit; the oracle's own value stands beside the one to compare with it. */
export function suiteFacts(
  catalogue: Catalogue,
  suite: string,
  values: Readonly<Record<string, number | null>>,
): [string, string][] {
  const infos = Object.keys(values).map((name) => columnInfo(catalogue, suite, name));
  const beside = new Set(infos.map((info) => info.oracle_column));
  return infos
    .filter(({ name }) => !beside.has(name))
    .map(({ name, title, unit, oracle_column: oracle }) => {
      const shown = `${plain(values[name])} ${values[name] === null ? "" : unit}`.trim();
      return [title, oracle && oracle in values ? `${shown} (oracle ${plain(values[oracle])})` : shown];
    });
}

/** What each of these columns means, behind a summary that the keyboard reaches. */
export function SuiteLegend({ suite, columns }: { suite: string; columns: readonly string[] }) {
  const catalogue = useCatalogue();
  const known = catalogue.suites.find(({ name }) => name === suite);
  if (!known) return null;
  return (
    <details>
      <summary>What these columns mean</summary>
      <Facts
        of={known.columns
          .filter(({ name }) => columns.includes(name))
          .map((column) => [column.title, explain(column)] as const)}
      />
      <p>Source: {known.source}.</p>
    </details>
  );
}
