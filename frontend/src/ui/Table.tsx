import type { ReactNode } from "react";
import { Scroll } from "./Scroll";

export interface Column<T> {
  /** Its header. On narrow screens each of its values carries it too. */
  name: string;
  /** A heading names its row. Badges say themselves what they are; so do acts, whose header is said but not shown. */
  kind?: "heading" | "value" | "badges" | "acts";
  className?: string;
  show: (row: T) => ReactNode;
}

interface Props<T> {
  /** What the table holds, for those who do not see it. */
  label: string;
  rows: readonly T[];
  keyOf: (row: T) => string;
  columns: readonly Column<T>[];
}

/** Rows of one kind, by columns. */
export function Table<T>({ label, rows, keyOf, columns }: Props<T>) {
  return (
    <Scroll label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ name, kind }) => (
              <th key={name}>{kind === "acts" ? <span className="visually-hidden">{name}</span> : name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <Cell key={column.name} of={column} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Cell<T>({ of: { name, kind = "value", className, show }, row }: { of: Column<T>; row: T }) {
  if (kind === "heading") {
    return (
      <th scope="row" className={className}>
        {show(row)}
      </th>
    );
  }
  return (
    <td data-label={kind === "value" ? name : undefined} className={className}>
      {show(row)}
    </td>
  );
}
