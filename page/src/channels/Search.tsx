import { useCallback, useEffect, useState } from "preact/hooks";
import { read } from "../api/client";
import { usePolled } from "../api/poll";
import type { Channel, Guide, Programme, Shown } from "../api/types";
import { clock, DAY_MS, dayName, MINUTE_MS } from "../time";
import { ChannelRow } from "./ChannelRow";
import { matching } from "./lineup";

interface SearchProps {
  text: string;
  channels: readonly Channel[];
  shown: ReadonlyMap<string, Shown>;
  now: number;
  playing: string | undefined;
  onProgramme: (programme: Programme) => void;
}

/** Somebody still types, in ms. */
const TYPING_MS = 250;
const AHEAD_MS = 14 * DAY_MS;
const MOST_CHANNELS = 60;
const MOST_PROGRAMMES = 100;
const SHORTEST = 2;

/** What was found: channels at once, programmes of the coming days from the daemon. */
export function Search({ text, channels, shown, now, playing, onProgramme }: SearchProps) {
  const sought = useSettled(text.trim(), TYPING_MS);
  const isLong = sought.length >= SHORTEST;
  const ask = useCallback(
    (signal: AbortSignal) => {
      const values = {
        search: sought.slice(0, 100),
        from: new Date(Date.now()).toISOString(),
        to: new Date(Date.now() + AHEAD_MS).toISOString(),
        limit: MOST_PROGRAMMES,
        brief: true,
      };
      return read<Guide>("/guide", values, signal).then((guide) => ({ guide, sought }));
    },
    [sought],
  );
  const { value, trouble } = usePolled(ask, 10 * MINUTE_MS, isLong);
  const found = matching(channels, text);
  const byId = new Map(channels.map((each) => [each.id, each]));
  const programmes = isLong && value?.sought === sought ? value.guide.programmes : undefined;
  if (text.trim() === "") {
    return <p class="empty">Type a channel name, a number, or the title of a programme.</p>;
  }
  return (
    <section class="results" aria-label="Search results" data-testid="results">
      <h1 class="unseen">Search results</h1>
      <h2 class="section">Channels</h2>
      {found.length === 0 && <p class="empty">No channels found.</p>}
      <ul class="rows">
        {found.slice(0, MOST_CHANNELS).map((each) => (
          <ChannelRow
            key={each.id}
            channel={each}
            shown={shown.get(each.id)}
            now={now}
            isPlaying={each.id === playing}
          />
        ))}
      </ul>
      {found.length > MOST_CHANNELS && (
        <p class="empty">{found.length - MOST_CHANNELS} more; type on to see them.</p>
      )}
      {isLong && (
        <>
          <h2 class="section">Programmes</h2>
          {trouble && <p role="alert">{trouble.message}</p>}
          {!programmes && !trouble && <p class="empty">Searching…</p>}
          {programmes?.length === 0 && <p class="empty">No programmes found in the coming days.</p>}
          <ul class="hits">
            {programmes?.map((each) => (
              <li key={`${each.channel} ${each.begin}`}>
                <button type="button" class="hit" onClick={() => onProgramme(each)}>
                  <span class="hit-when">
                    {Date.parse(each.begin) <= now
                      ? "On now"
                      : `${dayName(Date.parse(each.begin), now)} ${clock(each.begin)}`}
                  </span>
                  <span class="hit-title">{each.title}</span>
                  <span class="hit-where">
                    {byId.get(each.channel)?.name}
                    {each.subtitle && ` · ${each.subtitle}`}
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** The value once it has not changed for a while. */
function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
