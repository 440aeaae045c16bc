/** What a line of a unified diff is about. */
export function lineKind(line: string): "added" | "removed" | "place" | "kept" {
  if (line.startsWith("@@") || line.startsWith("--- ") || line.startsWith("+++ ")) return "place";
  if (line.startsWith("+")) return "added";
  return line.startsWith("-") ? "removed" : "kept";
}
