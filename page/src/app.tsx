import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Addresses } from "./addresses/Addresses";
import { read, relative } from "./api/client";
import { useNow, usePolled } from "./api/poll";
import type { Channel, Channels, Now, Programme } from "./api/types";
import { ChannelList } from "./channels/ChannelList";
import { type Choice, choiceOf, choiceText, shownById } from "./channels/lineup";
import { NowPlaying } from "./channels/NowPlaying";
import { Search } from "./channels/Search";
import { GuideView } from "./guide/GuideView";
import { ProgrammeDialog } from "./guide/ProgrammeDialog";
import { Player } from "./player/Player";
import { go, hashOf, type Place, placeOf } from "./router";
import { Header } from "./shell/Header";
import { Icon } from "./shell/icons";
import { TokenForm } from "./shell/TokenForm";
import { useKeys } from "./shell/useKeys";
import { StatusView } from "./status/StatusView";
import { MINUTE_MS } from "./time";

/** Time between requests for the lineup, which seldom changes: most answers are "not modified". */
const LINEUP_MS = 5 * MINUTE_MS;
const NOW_MS = MINUTE_MS;
const CHOICE_KEY = "bouquet";
const NAME = "xg2g";

async function readChannels(signal: AbortSignal): Promise<Channel[]> {
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

const readNow = (signal: AbortSignal) => read<Now>("/now", { limit: 5000 }, signal);

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
  const isMissing = place.at === "channel" && lineup.value !== undefined && !playing;
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

  const view = () => {
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
    if (isSearching) {
      return (
        <Search
          text={search}
          channels={channels}
          shown={shown}
          now={now}
          playing={playing?.id}
          onProgramme={setProgramme}
        />
      );
    }
    if (place.at === "guide") {
      return (
        <GuideView
          channels={channels}
          choice={choice}
          onChoose={setChoice}
          onProgramme={setProgramme}
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
        onChoose={setChoice}
      />
    );
  };

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
          {view()}
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

function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = () => setPlace(placeOf(location.hash));
    // A link to the present place changes no hash, but must end the search as well.
    const onClick = ({ target }: MouseEvent) => {
      const link = target instanceof Element ? target.closest("a") : null;
      if (link?.href === location.href) follow();
    };
    addEventListener("hashchange", follow);
    addEventListener("click", onClick);
    return () => {
      removeEventListener("hashchange", follow);
      removeEventListener("click", onClick);
    };
  }, []);
  return place;
}

/** Return the chosen bouquet, kept for the next visit. If it no longer exists, all are shown. */
function useChoice(channels: readonly Channel[]): [Choice, (choice: Choice) => void] {
  const [choice, setChoice] = useState(() => choiceOf(kept()));
  const choose = useCallback((next: Choice) => {
    setChoice(next);
    try {
      localStorage.setItem(CHOICE_KEY, choiceText(next));
    } catch {
      // The choice holds until the page is left.
    }
  }, []);
  const isThere =
    choice.kind !== "bouquet" || channels.some((each) => each.bouquets.includes(choice.name));
  return [isThere ? choice : ALL, choose];
}

const ALL: Choice = { kind: "all" };

function kept(): string | null {
  try {
    return localStorage.getItem(CHOICE_KEY);
  } catch {
    return null;
  }
}

/** Take the focus from the entry that was clicked, so that keys go to the player. Tab still goes on
 * from there. */
function releaseFocus(): void {
  const { activeElement } = document;
  if (activeElement instanceof HTMLElement && !activeElement.closest(".player")) {
    activeElement.blur();
  }
}
