import type { ButtonHTMLAttributes } from "react";
import styles from "./Button.module.css";

type Look = "main" | "quiet" | "danger";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  /** Work is under way: the button says so and takes no second click. */
  busy?: boolean;
}

export function Button({ look = "quiet", busy = false, type = "button", disabled, ...rest }: Props) {
  return (
    <button
      {...rest}
      type={type}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={buttonLook(look)}
    />
  );
}

/** The class of a link that looks like a button. */
export function buttonLook(look: Look = "quiet"): string {
  return `${styles.button} ${styles[look]}`;
}
