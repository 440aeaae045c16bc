import { useState } from "react";
import styles from "./ThemeChoice.module.css";

const KEY = "lethe-theme";
const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

/** Light, dark, or as the system has it. `theme.js` applies the choice before the first paint. */
export function ThemeChoice() {
  const [theme, setTheme] = useState(chosen);
  return (
    <label className={styles.choice}>
      Theme
      <select
        value={theme}
        onChange={(event) => {
          const next = event.target.value as Theme;
          choose(next);
          setTheme(next);
        }}
      >
        {THEMES.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    </label>
  );
}

function chosen(): Theme {
  const value = document.documentElement.dataset.theme;
  return value === "light" || value === "dark" ? value : "system";
}

function choose(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}
