import { useState } from "preact/hooks";
import type { Channel } from "../api/types";

/** A channel's logo, or the first letters of its name. */
export function Logo({ channel }: { channel: Channel }) {
  const [missing, setMissing] = useState<string | null>(null);
  const url = channel.logo_url;
  const isShown = url !== null && missing !== url;
  return (
    <span class="logo" aria-hidden="true">
      {isShown ? (
        <img src={url} alt="" loading="lazy" onError={() => setMissing(url)} />
      ) : (
        <span>{channel.name.replace(/[^\p{L}\p{N} ]/gu, "").slice(0, 3)}</span>
      )}
    </span>
  );
}
