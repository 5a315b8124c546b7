/** The view of a place: channels, guide, search results, status, or addresses. */
import { Addresses } from "./addresses/Addresses";
import type { Polled } from "./api/poll";
import type { Channel, Programme, Shown } from "./api/types";
import { ChannelList } from "./channels/ChannelList";
import type { Choice } from "./channels/lineup";
import { Search } from "./channels/Search";
import { GuideView } from "./guide/GuideView";
import type { Place } from "./router";
import { TokenForm } from "./shell/TokenForm";
import { StatusView } from "./status/StatusView";

interface ViewProps {
  place: Place;
  lineup: Polled<readonly Channel[]>;
  channels: readonly Channel[];
  shown: ReadonlyMap<string, Shown>;
  now: number;
  playing: Channel | undefined;
  choice: Choice;
  onChoose: (choice: Choice) => void;
  search: string;
  isSearching: boolean;
  onProgramme: (programme: Programme) => void;
}

export function View(props: ViewProps) {
  const { place, lineup, channels, shown, now, playing, choice, onChoose, onProgramme } = props;
  if (lineup.trouble?.status === 401) {
    return (
      <div class="sheet">
        <TokenForm purpose="Token to see the channels" onDone={lineup.again} />
      </div>
    );
  }
  if (place.at === "status") return <StatusView channels={channels} />;
  if (lineup.value === undefined) {
    return lineup.trouble ? (
      <div class="sheet">
        <p class="notice bad" role="alert" data-testid="error">
          {lineup.trouble.message}
        </p>
        <button type="button" class="button" onClick={lineup.again}>
          Try again
        </button>
      </div>
    ) : (
      <p class="empty" role="status">
        Loading channels…
      </p>
    );
  }
  if (props.isSearching) {
    return (
      <Search
        text={props.search}
        channels={channels}
        shown={shown}
        now={now}
        playing={playing?.id}
        onProgramme={onProgramme}
      />
    );
  }
  if (place.at === "guide") {
    return (
      <GuideView
        channels={channels}
        choice={choice}
        onChoose={onChoose}
        onProgramme={onProgramme}
      />
    );
  }
  if (place.at === "addresses") return <Addresses channels={channels} />;
  return (
    <ChannelList
      channels={channels}
      shown={shown}
      now={now}
      playing={playing?.id}
      choice={choice}
      onChoose={onChoose}
    />
  );
}
