import { useEffect, useMemo, useRef, useState } from "preact/hooks";
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

/** Channels of a bouquet, with their current programmes. */
export function ChannelList(props: ChannelListProps) {
  const { channels, shown, now, playing, choice, onChoose } = props;
  const listed = useMemo(() => chosen(channels, choice), [channels, choice]);
  const count = useGrowing(listed, playing);
  const rows = useRef<HTMLUListElement>(null);
  // Beside the picture, the list follows the channel; below it, it would take the picture away.
  useEffect(() => {
    if (playing === undefined || !matchMedia("(min-width: 1081px)").matches) return;
    const row = rows.current?.querySelector("[aria-current]");
    const box = row?.getBoundingClientRect();
    const isSeen = box && box.top > 0 && box.bottom < innerHeight;
    // Heights of rows that were never seen are estimates: the middle leaves room for an error.
    if (!isSeen) row?.scrollIntoView({ block: "center" });
  }, [playing]);
  return (
    <section class="channels" aria-label="Channels">
      {playing === undefined && <h1 class="unseen">Channels</h1>}
      <BouquetChips
        names={bouquets(channels)}
        hasRadio={channels.some((each) => each.radio)}
        choice={choice}
        onChoose={onChoose}
      />
      <ul ref={rows} class="rows" data-testid="channel-list">
        {listed.slice(0, count).map((each) => (
          <ChannelRow
            key={each.id}
            channel={each}
            shown={shown.get(each.id)}
            now={now}
            isPlaying={each.id === playing}
          />
        ))}
      </ul>
      {listed.length === 0 && <p class="empty">No channels.</p>}
    </section>
  );
}

/** Rows that a screen shows, and those that are added at a time: each time takes some milliseconds. */
const FIRST_ROWS = 60;
const MORE_ROWS = 60;

/** How many rows there are yet: a screenful at once, the rest soon after, so that hundreds of rows
 * do not keep the first ones waiting. Those down to the channel that plays are there at once. */
function useGrowing(listed: readonly Channel[], playing: string | undefined): number {
  const needed = Math.max(FIRST_ROWS, listed.findIndex((each) => each.id === playing) + 1);
  const [count, setCount] = useState(needed);
  useEffect(() => setCount(needed), [listed]);
  useEffect(() => {
    if (count >= listed.length) return;
    const timer = setTimeout(() => setCount(count + MORE_ROWS), 30);
    return () => clearTimeout(timer);
  }, [count, listed]);
  return count;
}
