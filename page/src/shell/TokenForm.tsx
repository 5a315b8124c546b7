import { useState } from "preact/hooks";
import { ApiError, keepToken, read } from "../api/client";
import type { Access } from "../api/types";

interface TokenFormProps {
  /** What it is for. */
  purpose: string;
  onDone: () => void;
}

/** Asks for the token of the settings. It is kept for this tab alone. */
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
          Use it
        </button>
      </div>
      <p class="dim" id="token-hint">
        The token is <code>server.token</code> of xg2g's settings. This tab forgets it when it is
        closed.
      </p>
      {trouble && (
        <p class="notice bad" role="alert">
          {trouble}
        </p>
      )}
    </form>
  );
}
