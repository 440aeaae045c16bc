import type { ReactNode } from "react";
import { useRef } from "react";
import { Button } from "./Button";
import styles from "./Confirm.module.css";

interface Props {
  /** What the button says, and the button that goes through with it. */
  act: string;
  title: string;
  children: ReactNode;
  busy?: boolean;
  disabled?: boolean;
  look?: "main" | "danger";
  onConfirm: () => void;
}

/** A button whose act is asked about first, in a dialogue that Escape closes. */
export function Confirm({ act, title, children, busy, disabled, look = "danger", onConfirm }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const confirm = () => {
    dialog.current?.close();
    onConfirm();
  };
  return (
    <>
      <Button look={look} busy={busy} disabled={disabled} onClick={() => dialog.current?.showModal()}>
        {act}
      </Button>
      <dialog ref={dialog} className={styles.dialog} aria-label={title}>
        <h2>{title}</h2>
        <div>{children}</div>
        <div className={styles.actions}>
          <Button onClick={() => dialog.current?.close()}>Go back</Button>
          <Button look={look} onClick={confirm}>
            {act}
          </Button>
        </div>
      </dialog>
    </>
  );
}
