import { useQuery } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { me } from "../api/queries/account";
import styles from "./ThemeChoice.module.css";
import { chooseTheme, chosenTheme, onTheme, THEMES } from "./theme";

/** The theme of this browser. What somebody prefers on the account page holds wherever they sign in. */
export function ThemeChoice() {
  const theme = useSyncExternalStore(onTheme, chosenTheme);
  const preferred = useQuery(me).data?.preferences.theme;
  useEffect(() => {
    if (preferred === "light" || preferred === "dark") chooseTheme(preferred);
  }, [preferred]);
  return (
    <label className={styles.choice}>
      Theme
      <select
        value={theme}
        onChange={(event) => chooseTheme(THEMES.find((one) => one === event.target.value) ?? "system")}
      >
        {THEMES.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    </label>
  );
}
