import { useState } from "react";
import { Button } from "./Button";

/** Something that is shown only once, to be copied. */
export function Secret({ what, value }: { what: string; value: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(value);
    setCopied(true);
  };
  return (
    <div role="status">
      <p>Copy the {what} now. It will not be shown again.</p>
      <pre>
        <code>{value}</code>
      </pre>
      <Button onClick={() => void copy()}>{copied ? "Copied" : "Copy"}</Button>
    </div>
  );
}
