import type { DragEvent } from "react";
import { useId, useState } from "react";
import { Notice } from "../../ui/states";
import { bytes } from "../../words/numbers";
import { zipOf } from "../../words/zip";
import styles from "./DropZone.module.css";

interface Props {
  notebooks: boolean;
  file: File | null;
  mostBytes: number | undefined; // until the installation has said so
  /** The file is on its way: another one can be chosen when it has arrived. */
  busy: boolean;
  onFile: (file: File | null) => void;
}

const PACKED = "submission.zip";

/** A file input that also takes what is dropped on it. The input itself is what keyboard and screen reader meet. */
export function DropZone({ notebooks, file, mostBytes, busy, onFile }: Props) {
  const id = useId();
  const [over, setOver] = useState(false);
  const [problem, setProblem] = useState<Error | null>(null);
  const endings = notebooks ? [".py", ".zip", ".ipynb"] : [".py", ".zip"];

  const most = mostBytes ? `, of at most ${bytes(mostBytes)}` : "";

  const take = (files: FileList | null | undefined) => {
    const [chosen, ...more] = files ?? [];
    if (!chosen || busy) return;
    if (more.length > 0) {
      setProblem(null);
      void packed([chosen, ...more]).then(onFile, (error: Error) => setProblem(error));
      return;
    }
    const fits = endings.some((ending) => chosen.name.toLowerCase().endsWith(ending));
    setProblem(
      fits ? null : new Error(`${chosen.name} does not end in ${endings.join(" or ")}. Choose another file.`),
    );
    onFile(fits ? chosen : null);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
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
            : `A module (.py)${notebooks ? ", an archive (.zip) or a notebook (.ipynb)" : " or an archive (.zip)"}${most}. Several files together become one archive: the module that defines unlearning, and what it imports or reads.`}
        </p>
        <input
          id={id}
          type="file"
          multiple
          className={styles.input}
          disabled={busy}
          onClick={(event) => {
            event.currentTarget.value = ""; // else choosing the same file again would be no change
          }}
          onChange={(event) => take(event.target.files)}
        />
      </div>
      <Notice error={problem} />
    </>
  );
}

/** Several files as one archive, with all of them at its top. */
async function packed(files: readonly File[]): Promise<File> {
  if (
    files.some(
      (file) => file.name.toLowerCase().endsWith(".ipynb") || file.name.toLowerCase().endsWith(".zip"),
    )
  ) {
    throw new Error("A notebook or an archive is submitted alone. Choose one file, or several plain ones.");
  }
  const members = files.map(async (file) => ({
    name: file.name,
    bytes: new Uint8Array(await file.arrayBuffer()),
  }));
  return new File([zipOf(await Promise.all(members))], PACKED, { type: "application/zip" });
}
