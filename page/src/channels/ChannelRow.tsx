import { memo } from "preact/compat";
import type { Channel, Shown } from "../api/types";
import { hashOf } from "../router";
import { clock, progress } from "../time";
import { Logo } from "./Logo";
import { onAt } from "./lineup";

interface ChannelRowProps {
  channel: Channel;
  shown: Shown | undefined;
  /** The time, in steps that suffice for the progress. */
  now: number;
  isPlaying: boolean;
}

/** A channel, what is on, and what comes next. */
export const ChannelRow = memo(function ChannelRow({
  channel,
  shown,
  now,
  isPlaying,
}: ChannelRowProps) {
  const on = onAt(shown, now);
  return (
    <li class="row">
      <a
        class="row-link"
        href={hashOf({ at: "channel", id: channel.id })}
        data-testid={`channel-${channel.id}`}
        aria-current={isPlaying ? "true" : undefined}
      >
        <Logo channel={channel} />
        <span class="row-text">
          <span class="row-head">
            <span class="number">{channel.number}</span>
            <span class="name">{channel.name}</span>
            {isPlaying && <span class="on-air">playing</span>}
          </span>
          {on.now ? (
            <>
              <span class="row-now">{on.now.title}</span>
              <span class="bar" aria-hidden="true">
                <span style={{ width: `${100 * progress(on.now.begin, on.now.end, now)}%` }} />
              </span>
            </>
          ) : (
            <span class="row-now row-none">
              {channel.radio ? "Radio" : "No programme information"}
            </span>
          )}
          {on.next && (
            <span class="row-next">
              <time dateTime={on.next.begin}>{clock(on.next.begin)}</time> {on.next.title}
            </span>
          )}
        </span>
      </a>
    </li>
  );
});
