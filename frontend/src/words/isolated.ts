/** A name that somebody chose, within a sentence of ours: its marks of direction end with it, by Unicode's isolates. */
export function isolated(name: string): string {
  return `\u2068${name}\u2069`;
}
