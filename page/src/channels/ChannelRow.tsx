import { memo } from "preact/compat";
import type { Channel, Shown, Slot } from "../api/types";
import { hashOf } from "../router";
import { clock, progress } from "../time";
import { Logo } from "./Logo";
import { onAt } from "./lineup";

interface ChannelRowProps {
  channel: Channel;
  shown: Shown | undefined;
  now: number;
  isPlaying: boolean;
}

/** Steps in which the progress is shown: hundreds of rows need not change with each of them. */
const STEPS = 50;

/** Channel with its current and next programme. */
export function ChannelRow({ channel, shown, now, isPlaying }: ChannelRowProps) {
  const on = onAt(shown, now);
  const part = on.now ? progress(on.now.begin, on.now.end, now) : 0;
  return (
    <Row
      channel={channel}
      now={on.now}
      next={on.next}
      part={Math.round(part * STEPS) / STEPS}
      isPlaying={isPlaying}
    />
  );
}

interface RowProps {
  channel: Channel;
  now: Slot | null;
  next: Slot | null;
  /** Elapsed part of the current programme. */
  part: number;
  isPlaying: boolean;
}

const Row = memo(function Row({ channel, now, next, part, isPlaying }: RowProps) {
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
          {now ? (
            <>
              <span class="row-now">{now.title}</span>
              <span class="bar" aria-hidden="true">
                <span style={{ width: `${100 * part}%` }} />
              </span>
            </>
          ) : (
            <span class="row-now row-none">
              {channel.radio ? "Radio" : "No programme information"}
            </span>
          )}
          {next && (
            <span class="row-next">
              <time dateTime={next.begin}>{clock(next.begin)}</time> {next.title}
            </span>
          )}
        </span>
      </a>
    </li>
  );
});
