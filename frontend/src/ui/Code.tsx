import styles from "./Code.module.css";
import { Copy } from "./Copy";

interface Props {
  text: string;
  /** Its lines are not broken, because their columns matter: it scrolls. */
  wide?: boolean;
}

/** Code to take along: a block with a button that copies it. */
export function Code({ text, wide = false }: Props) {
  return (
    <div className={styles.code}>
      <pre className={wide ? styles.wide : undefined} tabIndex={wide ? 0 : undefined}>
        <code>{text}</code>
      </pre>
      <Copy text={text} />
    </div>
  );
}
