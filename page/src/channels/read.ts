/** Requests for the lineup. */
import { read, relative } from "../api/client";
import type { Channel, Channels, Now } from "../api/types";

/** Return all channels. Throws `ApiError`. */
export async function readChannels(signal: AbortSignal): Promise<Channel[]> {
  const found: Channel[] = [];
  let after: string | undefined;
  do {
    const page: Channels = await read<Channels>("/channels", { limit: 5000, after }, signal);
    found.push(...page.channels.map(withOwnLogo));
    after = page.next ?? undefined;
  } while (after !== undefined);
  return found;
}

/** Return a channel whose logo is loaded from this page's own address. */
function withOwnLogo(channel: Channel): Channel {
  const { logo_url } = channel;
  return { ...channel, logo_url: logo_url && relative(logo_url) };
}

/** Return the current and next programmes of all channels. Throws `ApiError`. */
export const readNow = (signal: AbortSignal) => read<Now>("/now", { limit: 5000 }, signal);
