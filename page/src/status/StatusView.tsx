import { useCallback, useState } from "preact/hooks";
import { ApiError, change, read } from "../api/client";
import { type Polled, useNow, usePolled } from "../api/poll";
import type { Access, Channel, Failures, Status, Stream, Streams } from "../api/types";
import { Logo } from "../channels/Logo";
import { hashOf } from "../router";
import { Icon } from "../shell/icons";
import { TokenForm } from "../shell/TokenForm";
import { clock, dayName, duration } from "../time";
import { type Watched, watched } from "./watched";

const EVERY_MS = 5000;
const MOST_FAILURES = 8;

interface Answers {
  status: Status;
  streams: Streams;
  failures: Failures;
  access: Access;
}

async function ask(signal: AbortSignal): Promise<Answers> {
  const [status, streams, failures, access] = await Promise.all([
    read<Status>("/status", {}, signal),
    read<Streams>("/streams", {}, signal),
    read<Failures>("/failures", {}, signal),
    read<Access>("/access", {}, signal),
  ]);
  return { status, streams, failures, access };
}

/** Service status, viewers, failures, and buttons to end streams and refresh. */
export function StatusView({ channels }: { channels: readonly Channel[] }) {
  const polled = usePolled(ask, EVERY_MS);
  return (
    <section class="sheet" aria-label="Status" data-testid="status">
      <Content polled={polled} channels={channels} />
    </section>
  );
}

function Content({ polled, channels }: { polled: Polled<Answers>; channels: readonly Channel[] }) {
  const { value, trouble, again } = polled;
  const now = useNow(EVERY_MS);
  const [refusal, setRefusal] = useState<ApiError | undefined>(undefined);
  const [done, setDone] = useState("");
  const act = useCallback(
    async (method: "POST" | "DELETE", path: string, text: string) => {
      setRefusal(undefined);
      setDone("");
      try {
        await change(method, path);
        setDone(text);
      } catch (error) {
        setRefusal(error instanceof ApiError ? error : new ApiError(0, String(error)));
      }
      again();
    },
    [again],
  );
  if (trouble?.status === 401) {
    return <TokenForm purpose="Token to see the status" onDone={again} />;
  }
  if (!value) {
    return trouble ? (
      <p class="notice bad" role="alert" data-testid="error">
        {trouble.message}
      </p>
    ) : (
      <p class="empty">Loading…</p>
    );
  }
  const { status, streams, failures, access } = value;
  const refreshes = status.refreshes;
  return (
    <>
      <h1>
        Status <span class={`state state-${status.state.replace(" ", "-")}`}>{status.state}</span>
      </h1>
      {trouble && (
        <p class="notice bad" role="alert">
          {trouble.message}
        </p>
      )}
      {status.reasons.map((reason) => (
        <p key={reason} class={`notice ${status.ready ? "fair" : "bad"}`} data-testid="trouble">
          {reason}
        </p>
      ))}
      <dl class="tiles">
        <Tile
          name="Tuners in use"
          value={`${status.tuners.in_use} of ${status.tuners.limit ?? "?"}`}
        />
        <Tile name="Viewers" value={status.streams} />
        <Tile name="Channels" value={status.channels} />
        <Tile name="Programmes" value={status.programmes.toLocaleString()} />
      </dl>

      <h2>Watching now</h2>
      <p class="unseen" role="status">
        {done}
      </p>
      {refusal && (
        <p class="notice bad" role="alert" data-testid="refusal">
          {refusal.message}
        </p>
      )}
      {!access.may_change && access.has_token && (
        <details class="token-details" open={refusal?.status === 401}>
          <summary>Enter the token to end streams or refresh</summary>
          <TokenForm purpose="Token" onDone={again} />
        </details>
      )}
      {!access.may_change && !access.has_token && (
        <p class="dim">You can see streams but not end them: {access.detail}.</p>
      )}
      <Watching
        watched={watched(streams)}
        channels={channels}
        now={now}
        mayEnd={access.may_change}
        onEnd={(stream) =>
          void act("DELETE", `/streams/${encodeURIComponent(stream.id)}`, "Stream ended.")
        }
      />

      <FailureList failures={failures} now={now} />
      <RefreshList refreshes={refreshes} now={now} />
      {access.may_change && (
        <button
          type="button"
          class="button"
          data-testid="refresh"
          disabled={refreshes.some((each) => each.running)}
          onClick={() => void act("POST", "/refresh", "Refresh started.")}
        >
          <Icon name="refresh" /> Refresh lineup and guide
        </button>
      )}
      <p class="dim foot">xg2g {status.version}</p>
    </>
  );
}

function FailureList({ failures: { failures }, now }: { failures: Failures; now: number }) {
  if (failures.length === 0) return null;
  return (
    <>
      <h2>Latest failures</h2>
      <ul class="lines">
        {failures.slice(0, MOST_FAILURES).map((each) => (
          <li key={`${each.at} ${each.channel} ${each.viewer}`}>
            <b>{each.channel_name ?? each.channel}</b>: {each.reason}
            <span class="dim">
              {" "}
              {each.viewer ?? "unknown address"}, {dayName(Date.parse(each.at), now)}{" "}
              {clock(each.at)}
              {each.times > 1 && `, ${each.times} times`}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

function RefreshList({ refreshes, now }: { refreshes: Status["refreshes"]; now: number }) {
  return (
    <>
      <h2>Lineup and guide</h2>
      <ul class="lines">
        {refreshes.map((each) => (
          <li key={each.name}>
            <b>{each.name === "lineup" ? "Lineup" : "Guide and logos"}</b>:{" "}
            {each.running
              ? "refreshing"
              : each.succeeded_at
                ? `refreshed ${dayName(Date.parse(each.succeeded_at), now).toLowerCase()} at ${clock(each.succeeded_at)}`
                : "not loaded yet"}
            {each.trouble && <span class="bad-text"> {each.trouble}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}

function Tile({ name, value }: { name: string; value: string | number }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

interface WatchingProps {
  watched: readonly Watched[];
  channels: readonly Channel[];
  now: number;
  mayEnd: boolean;
  onEnd: (stream: Stream) => void;
}

function Watching({ watched, channels, now, mayEnd, onEnd }: WatchingProps) {
  if (watched.length === 0) return <p class="empty">Nobody is watching.</p>;
  return (
    <ul class="watching" data-testid="watching">
      {watched.map(({ id, channel, channelName, note, streams }) => {
        const known = channels.find((each) => each.id === channel);
        return (
          <li key={id} class="card watched">
            {known && <Logo channel={known} />}
            <div class="watched-text">
              <h3>
                {known ? (
                  <a href={hashOf({ at: "channel", id: channel })}>{channelName}</a>
                ) : (
                  channelName
                )}
                {streams.length > 1 && (
                  <span class="tag">{streams.length} viewers share one stream</span>
                )}
              </h3>
              {note && <p class="dim">{note}</p>}
              <ul class="viewers">
                {streams.map((stream) => (
                  <li key={stream.id}>
                    <span>
                      {stream.address ?? "unknown address"}
                      <span class="dim">
                        {" "}
                        · {stream.format === "hls" && hlsText(stream.players)}
                        {duration(now - Date.parse(stream.since))}, since {clock(stream.since)}
                        {stream.skips > 0 && `, fell behind ${stream.skips} times`}
                      </span>
                    </span>
                    {mayEnd && (
                      <button
                        type="button"
                        class="button small"
                        data-testid="end-stream"
                        aria-label={`End the stream of ${stream.address ?? "unknown address"}, ${channelName}`}
                        onClick={() => onEnd(stream)}
                      >
                        End
                      </button>
                    )}
                  </li>
                ))}
              </ul>
            </div>
          </li>
        );
      })}
    </ul>
  );
}

function hlsText(players: number): string {
  return players > 1 ? `${players} HLS players, ` : "HLS player, ";
}
