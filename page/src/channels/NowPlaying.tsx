import { useEffect, useState } from "preact/hooks";
import { read } from "../api/client";
import type { Channel, Guide, Programme, Shown } from "../api/types";
import { clock, duration, HOUR_MS, progress } from "../time";
import { Logo } from "./Logo";
import { onAt } from "./lineup";

interface NowPlayingProps {
  channel: Channel;
  shown: Shown | undefined;
  now: number;
  onProgramme: (programme: Programme) => void;
}

const AHEAD_MS = 8 * HOUR_MS;

/** Current programme of the channel that plays, and the next ones. */
export function NowPlaying({ channel, shown, now, onProgramme }: NowPlayingProps) {
  const on = onAt(shown, now).now;
  const coming = useComing(channel.id, on?.begin);
  const current = coming.find(
    (each) => Date.parse(each.begin) <= now && now < Date.parse(each.end),
  );
  const later = coming.filter((each) => Date.parse(each.begin) > now);
  const title = current ?? on;
  return (
    <section class="playing" aria-label={`On ${channel.name}`} data-testid="now-playing">
      <header class="playing-head">
        <Logo channel={channel} />
        <div>
          <p class="dim">
            <span class="number">{channel.number}</span> {channel.name}
          </p>
          <h1>{title?.title ?? channel.name}</h1>
          {title && (
            <p class="dim">
              {clock(title.begin)} to {clock(title.end)}
              {title.subtitle && ` · ${title.subtitle}`} · {duration(Date.parse(title.end) - now)}{" "}
              left
            </p>
          )}
        </div>
      </header>
      {title && (
        <span class="bar" aria-hidden="true">
          <span style={{ width: `${100 * progress(title.begin, title.end, now)}%` }} />
        </span>
      )}
      {current?.description && <p class="playing-text">{current.description}</p>}
      {later.length > 0 && (
        <>
          <h2 class="section">Later</h2>
          <ul class="hits">
            {later.slice(0, 8).map((each) => (
              <li key={each.begin}>
                <button type="button" class="hit" onClick={() => onProgramme(each)}>
                  <span class="hit-when">{clock(each.begin)}</span>
                  <span class="hit-title">{each.title}</span>
                  <span class="hit-where">{each.subtitle}</span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

/** Return the programmes of the next hours, read again when the next one begins. */
function useComing(channel: string, begin: string | undefined): readonly Programme[] {
  const [coming, setComing] = useState<readonly Programme[]>([]);
  useEffect(() => {
    const abort = new AbortController();
    const from = new Date().toISOString();
    const to = new Date(Date.now() + AHEAD_MS).toISOString();
    read<Guide>("/guide", { channel, from, to }, abort.signal)
      .then((guide) => setComing(guide.programmes))
      .catch(() => {
        // The channel list shows the reason.
        if (!abort.signal.aborted) setComing([]);
      });
    return () => abort.abort();
  }, [channel, begin]);
  return coming.filter((each) => each.channel === channel);
}
