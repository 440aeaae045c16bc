import { useState } from "react";
import { Button } from "./Button";

/** Puts a text on the clipboard, and says that it did. */
export function Copy({ text, what = "Copy" }: { text: string; what?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <Button onClick={() => void copy()} onBlur={() => setCopied(false)}>
      <span aria-live="polite">{copied ? "Copied" : what}</span>
    </Button>
  );
}
