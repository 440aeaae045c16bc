import type { InputHTMLAttributes, ReactNode, SelectHTMLAttributes, TextareaHTMLAttributes } from "react";
import { useId } from "react";
import styles from "./Field.module.css";

interface Words {
  label: string;
  hint?: ReactNode;
}

interface Control {
  id: string;
  className: string | undefined;
  "aria-describedby": string | undefined;
}

/** What every field has: a label that belongs to its control, and perhaps a hint that is read with it. */
function Labelled({ label, hint, children }: Words & { children: (control: Control) => ReactNode }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      {children({ id, className: styles.input, "aria-describedby": hint ? `${id}-hint` : undefined })}
      {hint && (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      )}
    </div>
  );
}

export function Field({ label, hint, ...input }: Words & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Labelled label={label} hint={hint}>
      {(control) => <input {...input} {...control} />}
    </Labelled>
  );
}

/** A moment in the reader's zone. Inputs of browsers take years of six digits, which nothing else does. */
export function MomentField(props: Words & InputHTMLAttributes<HTMLInputElement>) {
  return <Field {...props} type="datetime-local" max="9999-12-31T23:59" />;
}

/** A box to tick. */
export function Tick({ label, hint, ...input }: Words & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <div className={styles.tick}>
      <input {...input} id={id} type="checkbox" aria-describedby={hint ? `${id}-hint` : undefined} />
      <label htmlFor={id}>{label}</label>
      {hint && (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      )}
    </div>
  );
}

export function Area({ label, hint, ...area }: Words & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Labelled label={label} hint={hint}>
      {(control) => <textarea {...area} {...control} />}
    </Labelled>
  );
}

interface ChoiceProps extends Words, Omit<SelectHTMLAttributes<HTMLSelectElement>, "children"> {
  options: readonly { value: string; label: string }[];
}

export function Choice({ label, hint, options, ...select }: ChoiceProps) {
  return (
    <Labelled label={label} hint={hint}>
      {(control) => (
        <select {...select} {...control}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}
