import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useNow, usePolled } from "./api/poll";
import type { Channel, Programme } from "./api/types";
import { shownById } from "./channels/lineup";
import { NowPlaying } from "./channels/NowPlaying";
import { readChannels, readNow } from "./channels/read";
import { useChoice } from "./channels/useChoice";
import { ProgrammeDialog } from "./guide/ProgrammeDialog";
import { Player } from "./player/Player";
import { go, hashOf, placeOf } from "./router";
import { Header } from "./shell/Header";
import { Icon } from "./shell/icons";
import { useKeys } from "./shell/useKeys";
import { usePlace } from "./shell/usePlace";
import { MINUTE_MS } from "./time";
import { View } from "./View";

/** Time between requests for the lineup, which seldom changes: most answers are "not modified". */
const LINEUP_MS = 5 * MINUTE_MS;
const NOW_MS = MINUTE_MS;
const NAME = "xg2g";

export function App() {
  const place = usePlace();
  const lineup = usePolled(readChannels, LINEUP_MS);
  const onNow = usePolled(readNow, NOW_MS, lineup.value !== undefined);
  const now = useNow(MINUTE_MS / 2);
  const channels = lineup.value ?? NONE;
  const shown = useMemo(() => shownById(onNow.value), [onNow.value]);
  const [choice, setChoice] = useChoice(channels);
  const [search, setSearch] = useState("");
  const [programme, setProgramme] = useState<Programme | undefined>(undefined);
  const [watching, setWatching] = useState<string | undefined>(undefined);
  const field = useRef<HTMLInputElement>(null);

  useEffect(() => {
    if (place.at === "channel") {
      setWatching(place.id);
      releaseFocus();
    }
    setProgramme(undefined);
  }, [place]);

  const playing = channels.find((each) => each.id === watching);
  // By the place itself: `playing` follows it after the first paint.
  const isMissing =
    place.at === "channel" &&
    lineup.value !== undefined &&
    !channels.some(({ id }) => id === place.id);
  const isSearching = search.trim() !== "" || place.at === "search";
  const isWatching = place.at === "channel" && playing !== undefined;

  useEffect(() => {
    const what = {
      channels: "Channels",
      channel: playing?.name ?? "Channel",
      guide: "Guide",
      search: "Search",
      status: "Status",
      addresses: "Other players",
    }[place.at];
    document.title = `${what} · ${NAME}`;
  }, [place, playing]);

  const zap = useCallback((channel: Channel) => {
    // While the guide is shown, the small player stays small.
    setWatching(channel.id);
    if (placeOf(location.hash).at === "channel") {
      go({ at: "channel", id: channel.id }, { replace: true });
    }
  }, []);
  const tune = useCallback((channel: Channel) => go({ at: "channel", id: channel.id }), []);
  const stop = useCallback(() => {
    setWatching(undefined);
    if (placeOf(location.hash).at === "channel") go({ at: "channels" });
  }, []);
  const endSearch = useCallback(() => {
    setSearch("");
    if (placeOf(location.hash).at === "search") go({ at: "channels" }, { replace: true });
  }, []);
  // Opening a result ends the search.
  useEffect(() => {
    if (place.at !== "search") setSearch("");
  }, [place]);

  const entry = useKeys({
    channels,
    hasPlayer: playing !== undefined,
    isWatching,
    field,
    isSearching,
    onTune: tune,
    onEndSearch: endSearch,
    onLeave: () => {
      if (place.at === "channel") stop();
      else if (place.at !== "channels") go({ at: "channels" });
    },
  });

  return (
    <div
      class={`app at-${place.at} ${isWatching ? "is-watching" : ""} ${isSearching ? "is-searching" : ""}`}
    >
      <button type="button" class="skip button" onClick={skip}>
        Skip to the content
      </button>
      <Header name={NAME} place={place} search={search} onSearch={setSearch} field={field} />
      <div class="body">
        {playing && (
          <div class={isWatching ? "watch" : "dock"}>
            <Player channel={playing} channels={channels} onZap={zap} />
            {isWatching ? (
              <NowPlaying
                channel={playing}
                shown={shown.get(playing.id)}
                now={now}
                onProgramme={setProgramme}
              />
            ) : (
              <div class="dock-line">
                <a href={hashOf({ at: "channel", id: playing.id })}>{playing.name}</a>
                <button type="button" class="icon-button" aria-label="Stop" onClick={stop}>
                  <Icon name="close" />
                </button>
              </div>
            )}
          </div>
        )}
        <main id="main" class="main" tabIndex={-1}>
          {isMissing && (
            <p class="notice bad" role="alert" data-testid="error">
              This channel no longer exists. Choose another one.
            </p>
          )}
          {lineup.value !== undefined && onNow.trouble && place.at !== "status" && (
            <p class="notice bad" role="alert">
              {onNow.trouble.message}
            </p>
          )}
          <View
            place={place}
            lineup={lineup}
            channels={channels}
            shown={shown}
            now={now}
            playing={playing}
            choice={choice}
            onChoose={setChoice}
            search={search}
            isSearching={isSearching}
            onProgramme={setProgramme}
          />
        </main>
      </div>
      {entry && (
        <output class="typed" data-testid="typed-number">
          <b>{entry.digits}</b> {entry.match?.name ?? "…"}
        </output>
      )}
      {programme && (
        <ProgrammeDialog
          programme={programme}
          channel={channels.find((each) => each.id === programme.channel)}
          onClose={() => setProgramme(undefined)}
        />
      )}
    </div>
  );
}

const NONE: readonly Channel[] = [];

function skip() {
  document.getElementById("main")?.focus();
}

/** Take the focus from the entry that was clicked, so that keys go to the player. Tab still goes on
 * from there. */
function releaseFocus(): void {
  const { activeElement } = document;
  if (activeElement instanceof HTMLElement && !activeElement.closest(".player")) {
    activeElement.blur();
  }
}
