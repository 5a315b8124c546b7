import type { Channel, Shown } from "../api/types";
import { BouquetChips } from "./BouquetChips";
import { ChannelRow } from "./ChannelRow";
import { bouquets, type Choice, chosen } from "./lineup";

interface ChannelListProps {
  channels: readonly Channel[];
  shown: ReadonlyMap<string, Shown>;
  now: number;
  /** Id of the channel that plays. */
  playing: string | undefined;
  choice: Choice;
  onChoose: (choice: Choice) => void;
}

/** The channels of a bouquet, with what is on. */
export function ChannelList(props: ChannelListProps) {
  const { channels, shown, now, playing, choice, onChoose } = props;
  const listed = chosen(channels, choice);
  return (
    <section class="channels" aria-label="Channels">
      <BouquetChips
        names={bouquets(channels)}
        hasRadio={channels.some((each) => each.radio)}
        choice={choice}
        onChoose={onChoose}
      />
      <ul class="rows" data-testid="channel-list">
        {listed.map((each) => (
          <ChannelRow
            key={each.id}
            channel={each}
            shown={shown.get(each.id)}
            now={now}
            isPlaying={each.id === playing}
          />
        ))}
      </ul>
      {listed.length === 0 && <p class="empty">No channel here.</p>}
    </section>
  );
}
