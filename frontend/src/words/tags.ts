/** Tags as one types them: separated by commas, the same one once. */
export function tagsOf(typed: string): string[] {
  const tags = typed.split(",").map((tag) => tag.trim());
  return [...new Set(tags.filter(Boolean))];
}
