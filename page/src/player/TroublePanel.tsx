/** Message about trouble: what is wrong, and what to do. */
import { useEffect, useState } from "preact/hooks";
import { read, relative } from "../api/client";
import type { Access, Channel } from "../api/types";
import type { State } from "./state";
import type { TunerUser } from "./trouble";

interface TroublePanelProps {
  channel: Channel;
  trouble: NonNullable<State["trouble"]>;
  onRetry: () => void;
  /** Ends a stream. Throws an error that says how to fix it. */
  onEnd: (user: TunerUser) => Promise<void>;
}

export function TroublePanel({ channel, trouble, onRetry, onEnd }: TroublePanelProps) {
  const { title, advice, users, retryAt, offersPlayer, kind } = trouble;
  const mayEnd = useMayEnd(users.length > 0);
  return (
    <div class="trouble" role="alert" data-testid="error" data-kind={kind}>
      <h2>{title}</h2>
      <p>{advice}</p>
      <div class="trouble-actions">
        <button type="button" class="primary" data-testid="retry" onClick={onRetry}>
          {kind === "autoplay" ? "Play" : "Try again"}
        </button>
        {offersPlayer && <PlayerFile channel={channel} />}
      </div>
      {retryAt !== undefined && <Countdown at={retryAt} />}
      {users.length > 0 && (
        <ul class="trouble-users">
          {users.map((user) => (
            <User
              key={user.streamId ?? user.address}
              user={user}
              onEnd={mayEnd ? onEnd : undefined}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

/** Return whether this browser may end streams. */
function useMayEnd(isAsked: boolean): boolean {
  const [mayEnd, setMayEnd] = useState(false);
  useEffect(() => {
    if (!isAsked) return;
    const abort = new AbortController();
    read<Access>("/access", {}, abort.signal)
      .then((access) => setMayEnd(access.may_change))
      // Then the buttons are not offered.
      .catch(() => {});
    return () => abort.abort();
  }, [isAsked]);
  return mayEnd;
}

interface UserProps {
  user: TunerUser;
  onEnd: TroublePanelProps["onEnd"] | undefined;
}

function User({ user, onEnd }: UserProps) {
  const [refusal, setRefusal] = useState<string | undefined>(undefined);
  const since =
    user.since === undefined
      ? ""
      : ` since ${new Date(user.since).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
  const end = () => {
    setRefusal(undefined);
    onEnd?.(user).catch((error: unknown) =>
      setRefusal(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <li>
      <span>
        <b>{user.channelName}</b>, watched {user.isOwn ? "on this device" : `by ${user.address}`}
        {since}
      </span>
      {user.streamId !== undefined && onEnd && (
        <button type="button" onClick={end}>
          End stream
        </button>
      )}
      {refusal !== undefined && <p class="trouble-refusal">{refusal}</p>}
    </li>
  );
}

/** Time until the next attempt. */
function Countdown({ at }: { at: number }) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((at - now) / 1000));
  return (
    <p class="trouble-countdown" data-testid="countdown" aria-live="off">
      Next attempt in {seconds} s
    </p>
  );
}

/** Link to a playlist of this channel only, which the system opens in its player. */
function PlayerFile({ channel }: { channel: Channel }) {
  const [href, setHref] = useState<string | undefined>(undefined);
  useEffect(() => {
    const text = `#EXTM3U\n#EXTINF:-1,${channel.name.replace(/[\r\n]/g, " ")}\n${relative(channel.stream_url)}\n`;
    const url = URL.createObjectURL(new Blob([text], { type: "audio/x-mpegurl" }));
    setHref(url);
    return () => URL.revokeObjectURL(url);
  }, [channel]);
  if (href === undefined) return null;
  return (
    <a class="button" data-testid="open-in-player" href={href} download={`${channel.number}.m3u`}>
      Open in a player
    </a>
  );
}
