import { useRef, useState } from "preact/hooks";

/** An address to copy. */
export function Copyable({ text }: { text: string }) {
  const code = useRef<HTMLElement>(null);
  const [said, setSaid] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("Copied");
    } catch {
      // Over plain HTTP browsers give no clipboard: what is selected can be copied by hand.
      const selection = getSelection();
      if (code.current) selection?.selectAllChildren(code.current);
      setSaid(document.execCommand("copy") ? "Copied" : "Selected; copy it with Ctrl+C");
    }
    setTimeout(() => setSaid(""), 2500);
  };
  return (
    <div class="copyable">
      <code ref={code}>{text}</code>
      <button type="button" class="button" aria-label={`Copy ${text}`} onClick={copy}>
        {said || "Copy"}
      </button>
      <span class="unseen" role="status">
        {said}
      </span>
    </div>
  );
}
