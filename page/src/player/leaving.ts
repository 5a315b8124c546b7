/** Tells the gateway that a channel was left, so that its tuner is free for the next one. */

/** Time that the gateway has to note it, in ms. */
const LEAVING_MS = 150;

/** Return the URL to POST to, of a channel's multivariant playlist. */
export function leaveUrl(index: string): string {
  return new URL("leave", index).href;
}

/** Tell the gateway that a channel was left. Settle once it knows, or after a moment. */
export async function leave(index: string): Promise<void> {
  const told = fetch(leaveUrl(index), { method: "POST", keepalive: true }).catch(() => {
    // The next request fails for the same reason, and reports it.
  });
  await Promise.race([told, new Promise((resolve) => setTimeout(resolve, LEAVING_MS))]);
}
