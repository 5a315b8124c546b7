import { useEffect, useState } from "preact/hooks";
import { ApiError, read } from "./api/client";
import type { Channel, Channels } from "./api/types";
import { Player } from "./player/Player";
import { go, hashOf, type Place, placeOf } from "./router";

export function App() {
  const place = usePlace();
  const [channels, setChannels] = useState<Channel[]>([]);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    read<Channels>("/channels", { limit: 5000 })
      .then((answer) => setChannels(answer.channels))
      .catch((error: unknown) =>
        setTrouble(error instanceof ApiError ? error.message : String(error)),
      );
  }, []);
  const playing =
    place.at === "channel" ? channels.find((each) => each.id === place.id) : undefined;
  return (
    <main>
      {trouble !== null && (
        <p role="alert" data-testid="error">
          {trouble}
        </p>
      )}
      {playing && (
        <Player
          channel={playing}
          channels={channels}
          onZap={(channel) => go({ at: "channel", id: channel.id }, { replace: true })}
        />
      )}
      <ul data-testid="channel-list">
        {channels.map((each) => (
          <li key={each.id}>
            <a href={hashOf({ at: "channel", id: each.id })} data-testid={`channel-${each.id}`}>
              {each.number} {each.name}
            </a>
          </li>
        ))}
      </ul>
    </main>
  );
}

function usePlace(): Place {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  useEffect(() => {
    const follow = () => setPlace(placeOf(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return place;
}
