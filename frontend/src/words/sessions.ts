/** What to call a session, whose name is the user agent that began it. */
const BROWSERS: [RegExp, string][] = [
  [/Firefox\//, "Firefox"],
  [/Edg\//, "Edge"],
  [/Chrom(e|ium)\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];

/** "Firefox on Linux"; a name that is no browser's stays as it is. */
export function sessionName(name: string): string {
  const browser = find(BROWSERS, name);
  const system = find(SYSTEMS, name);
  return browser && system ? `${browser} on ${system}` : name;
}

function find(known: readonly [RegExp, string][], name: string): string | undefined {
  return known.find(([pattern]) => pattern.test(name))?.[1];
}
