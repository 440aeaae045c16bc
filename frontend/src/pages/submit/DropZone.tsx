import type { DragEvent } from "react";
import { useId, useState } from "react";
import { Notice } from "../../ui/states";
import { bytes } from "../../words/numbers";
import styles from "./DropZone.module.css";

interface Props {
  notebooks: boolean;
  file: File | null;
  mostBytes: number | undefined; // until the installation has said so
  /** The file is on its way: another one can be chosen when it has arrived. */
  busy: boolean;
  onFile: (file: File | null) => void;
}

/** A file input that also takes what is dropped on it. The input itself is what keyboard and screen reader meet. */
export function DropZone({ notebooks, file, mostBytes, busy, onFile }: Props) {
  const id = useId();
  const [over, setOver] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const endings = notebooks ? [".py", ".zip", ".ipynb"] : [".py", ".zip"];

  const most = mostBytes ? `, of at most ${bytes(mostBytes)}` : "";

  const take = (chosen: File | undefined) => {
    if (!chosen || busy) return;
    const fits = endings.some((ending) => chosen.name.toLowerCase().endsWith(ending));
    setProblem(
      fits ? null : new Error(`${chosen.name} does not end in ${endings.join(" or ")}. Choose another file.`),
    );
    onFile(fits ? chosen : null);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };

  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way to what the input does */}
      <div
        className={`${styles.zone} ${over ? styles.over : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(!busy);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <label htmlFor={id}>{file ? file.name : "Drop your submission here, or choose a file"}</label>
        <p className={styles.hint}>
          {file
            ? bytes(file.size)
            : `A module (.py)${notebooks ? ", an archive (.zip) or a notebook (.ipynb)" : " or an archive (.zip)"}${most}`}
        </p>
        <input
          id={id}
          type="file"
          accept={endings.join(",")}
          className={styles.input}
          disabled={busy}
          onClick={(event) => {
            event.currentTarget.value = ""; // else choosing the same file again would be no change
          }}
          onChange={(event) => take(event.target.files?.[0])}
        />
      </div>
      <Notice error={problem} />
    </>
  );
}
