import { useState } from "preact/hooks";
import { ApiError, keepToken, read } from "../api/client";
import type { Access } from "../api/types";

interface TokenFormProps {
  /** What the token is for. */
  purpose: string;
  onDone: () => void;
}

/** Form for the token of the settings. It is kept for this tab only. */
export function TokenForm({ purpose, onDone }: TokenFormProps) {
  const [token, setToken] = useState("");
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const submit = async (event: Event) => {
    event.preventDefault();
    setTrouble(undefined);
    keepToken(token.trim());
    try {
      await read<Access>("/access");
      onDone();
    } catch (error) {
      keepToken(null);
      setTrouble(error instanceof ApiError ? error.message : String(error));
    }
  };
  return (
    <form class="card token" onSubmit={submit} data-testid="token-form">
      <label for="token">{purpose}</label>
      <div class="token-line">
        <input
          id="token"
          class="field"
          type="password"
          autocomplete="off"
          required
          aria-describedby="token-hint"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button type="submit" class="button primary">
          Use token
        </button>
      </div>
      <p class="dim" id="token-hint">
        The token is <code>server.token</code> in the settings of xg2g. Closing this tab forgets it.
      </p>
      {trouble && (
        <p class="notice bad" role="alert">
          {trouble}
        </p>
      )}
    </form>
  );
}
