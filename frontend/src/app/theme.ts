/** Light, dark, or as the system has it. `theme.js` applies what was chosen before the first paint. */
import type { Theme } from "../api/types";

const KEY = "lethe-theme";
export const THEMES = ["system", "light", "dark"] as const satisfies readonly Theme[];
const CHOSEN = "lethe-theme-chosen";

export function chosenTheme(): Theme {
  const value = document.documentElement.dataset.theme;
  return value === "light" || value === "dark" ? value : "system";
}

/** Apply a theme, keep it for this browser, and tell those who show it. */
export function chooseTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  window.dispatchEvent(new Event(CHOSEN));
}

/** Call back whenever a theme is chosen; return what stops that. */
export function onTheme(listen: () => void): () => void {
  window.addEventListener(CHOSEN, listen);
  return () => window.removeEventListener(CHOSEN, listen);
}
