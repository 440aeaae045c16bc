/** What stands behind the # of a link, which no server and no other page gets to see. It leaves the address bar. */
export function secretOfLink(): string {
  const secret = window.location.hash.slice(1);
  if (secret) window.history.replaceState(window.history.state, "", window.location.pathname);
  return secret;
}
