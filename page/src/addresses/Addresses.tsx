import type { Channel } from "../api/types";
import { bouquets } from "../channels/lineup";
import { Copyable } from "./Copyable";

/** Addresses to copy, by player. */
export function Addresses({ channels }: { channels: readonly Channel[] }) {
  const base = baseOf(channels);
  const names = bouquets(channels);
  return (
    <section class="sheet" aria-label="Other players" data-testid="addresses">
      <h1>Watch in another player</h1>
      {isLoopback(base) && (
        <p class="notice fair">
          These addresses work on this computer only. For other devices, open this page with the
          computer's name or address in your network; <code>server.host</code> must allow it.
        </p>
      )}
      <article class="card">
        <h2>Plex, Jellyfin, Emby, Channels</h2>
        <p class="dim">As a network tuner (HDHomeRun). Many players find it by themselves.</p>
        <Copyable text={base} />
      </article>
      <article class="card">
        <h2>Kodi, TiviMate, Jellyfin, and others that take M3U and XMLTV</h2>
        <p class="dim">Playlist</p>
        <Copyable text={`${base}/playlist.m3u`} />
        <p class="dim">Guide</p>
        <Copyable text={`${base}/xmltv.xml`} />
      </article>
      <article class="card">
        <h2>Apple devices, Chromecast, Safari</h2>
        <p class="dim">A playlist of HLS streams</p>
        <Copyable text={`${base}/playlist.m3u?format=hls`} />
      </article>
      <article class="card">
        <h2>VLC, mpv</h2>
        <p class="dim">Open it as a network stream.</p>
        <Copyable text={`${base}/playlist.m3u`} />
      </article>
      {names.length > 0 && (
        <details class="card">
          <summary>One bouquet only</summary>
          {names.map((name) => (
            <div key={name}>
              <p class="dim">{name}</p>
              <Copyable text={`${base}/playlist.m3u?${new URLSearchParams({ bouquet: name })}`} />
            </div>
          ))}
        </details>
      )}
      <p class="dim foot">
        <a href="addresses">This page without scripts</a> · <a href="api">API</a> ·{" "}
        <a href="metrics">Metrics</a> · <a href="licenses.txt">Licences</a>
      </p>
    </section>
  );
}

/** Return the address of the daemon for players. The daemon tells it, since it may be a public one. */
export function baseOf(channels: readonly Channel[], page = document.baseURI): string {
  const told = channels.find((each) => /\/stream\/[^/]+$/.test(each.stream_url))?.stream_url;
  return told?.replace(/\/stream\/[^/]+$/, "") ?? new URL(".", page).href.replace(/\/$/, "");
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}
