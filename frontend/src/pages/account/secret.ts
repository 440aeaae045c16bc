/** What stands behind the # of a link, which no server and no other page gets to see. It leaves the address bar. */
export function secretOfLink(): string {
  const secret = window.location.hash.slice(1);
  if (secret) window.history.replaceState(window.history.state, "", window.location.pathname);
  return secret;
}

const KEPT = "lethe-secret-of-link";

/** Keep it in this tab, for a way that leads through another site. */
export function keepSecret(): void {
  if (window.location.hash) window.sessionStorage.setItem(KEPT, window.location.hash);
  else window.sessionStorage.removeItem(KEPT);
}

/** What was kept, with its #, this once. */
export function takeKeptSecret(): string {
  const kept = window.sessionStorage.getItem(KEPT) ?? "";
  window.sessionStorage.removeItem(KEPT);
  return kept;
}
