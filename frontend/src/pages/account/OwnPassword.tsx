import { Field } from "../../ui/Field";

/** The password that confirms a change. */
export function OwnPassword({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <Field
      label="Your password"
      type="password"
      autoComplete="current-password"
      required
      maxLength={200}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

/** A password that is chosen here. */
export function NewPassword({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <Field
      label="New password (at least 10 characters)"
      type="password"
      autoComplete="new-password"
      required
      minLength={10}
      maxLength={200}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
