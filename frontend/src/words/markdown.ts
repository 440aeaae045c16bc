/** The first line of a text in Markdown as plain words, for a list. */
export function firstLine(text: string): string {
  const line = text.split("\n").find((one) => one.trim() !== "") ?? "";
  return line
    .replace(/^#{1,6}\s+/, "")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/(\*\*|__|\*|`)/g, "")
    .trim();
}

/** Where an image of the competition is that a text names by `images/NAME`; nothing for what is elsewhere. */
export function imageOf(slug: string, src: string | undefined): string | undefined {
  const name = src?.match(/^images\/([a-z0-9][a-z0-9_-]{0,55}\.(?:png|jpe?g|webp))$/)?.[1];
  return name && `/api/competitions/${slug}/images/${name}`;
}

/** A file's name as the server takes it: "My Digit.PNG" becomes "my-digit.png". */
export function imageName(file: string): string {
  const [, stem = file, ending = ""] = file.match(/^(.*)\.([^.]*)$/) ?? [];
  const plain = stem
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^[-_]+|-+$/g, "")
    .slice(0, 56);
  return `${plain || "image"}.${ending.toLowerCase()}`;
}
