import { useRef, useState } from "preact/hooks";

/** Address with a button to copy it. */
export function Copyable({ text }: { text: string }) {
  const code = useRef<HTMLElement>(null);
  const [result, setResult] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setResult("Copied");
    } catch {
      // Over plain HTTP browsers offer no clipboard: select the text, so that the user can copy it.
      const selection = getSelection();
      if (code.current) selection?.selectAllChildren(code.current);
      setResult(document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C");
    }
    setTimeout(() => setResult(""), 2500);
  };
  return (
    <div class="copyable">
      <code ref={code}>{text}</code>
      <button type="button" class="button" aria-label={`Copy ${text}`} onClick={copy}>
        {result || "Copy"}
      </button>
      <span class="unseen" role="status">
        {result}
      </span>
    </div>
  );
}
