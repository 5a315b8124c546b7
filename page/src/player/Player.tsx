import type { Channel } from "../api/types";

export interface PlayerProps {
  /** What plays. */
  channel: Channel;
  /** All channels, in the order in which up and down zap. */
  channels: readonly Channel[];
  /** Called when the player itself goes to another channel: by key, number or swipe. */
  onZap: (channel: Channel) => void;
}

/** Plays a channel. */
export function Player({ channel }: PlayerProps) {
  return (
    <div class="player" data-testid="player">
      <p>{channel.name}</p>
    </div>
  );
}
