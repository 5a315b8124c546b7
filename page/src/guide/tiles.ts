/** The guide in memory, requested in tiles of some channels by some hours. */
import { read } from "../api/client";
import type { Guide, Programme } from "../api/types";
import { HOUR_MS, MINUTE_MS } from "../time";
import type { Rows, Span } from "./grid";

export interface Listed extends Span {
  about: Programme;
}

export const TILE_MS = 6 * HOUR_MS;
export const TILE_CHANNELS = 40;
/** Tiles that are kept; some 300 programmes each. */
export const MOST_TILES = 240;
/** Questions that are under way at a time. */
const AT_A_TIME = 3;
/** Time after which a tile is requested again, in ms. The answer is mostly "not modified". */
const FRESH_MS = 10 * MINUTE_MS;
/** Wait after a failure, in ms. */
const AGAIN_MS = 5000;

type Read = (ids: readonly string[], span: Span) => Promise<readonly Programme[]>;

interface Tile {
  byChannel: Map<string, Listed[]>;
  askedAt: number;
  state: "asked" | "there" | "failed";
}

/** Tiles that were read, and requests for those that are visible. */
export class Tiles {
  private readonly tiles = new Map<string, Tile>();
  private wanted: string[] = [];
  private asking = 0;
  private channels: readonly string[] = [];
  private groups = new Map<string, number>();
  /** Why the latest question failed. */
  trouble: string | undefined;

  constructor(
    private readonly onChange: () => void,
    private readonly ask: Read = readGuide,
    private readonly now: () => number = Date.now,
  ) {}

  /** Arrange the tiles for these channels in this order. */
  lay(channels: readonly string[]): void {
    if (
      channels.length === this.channels.length &&
      channels.every((id, at) => id === this.channels[at])
    )
      return;
    this.channels = channels;
    this.groups = new Map(channels.map((id, at) => [id, Math.floor(at / TILE_CHANNELS)]));
    this.tiles.clear();
    this.wanted = [];
  }

  /** Read visible tiles that are missing, and cancel requests for tiles that are no longer visible. */
  look(rows: Rows, span: Span): void {
    const keys: string[] = [];
    if (rows.end > rows.first) {
      const last = Math.floor((rows.end - 1) / TILE_CHANNELS);
      for (let group = Math.floor(rows.first / TILE_CHANNELS); group <= last; group++) {
        for (let at = floor(span.from); at < span.to; at += TILE_MS) keys.push(`${group} ${at}`);
      }
    }
    this.wanted = keys;
    for (const key of keys) {
      const tile = this.tiles.get(key);
      if (tile === undefined) continue;
      // The latest that was looked at is the last to leave.
      this.tiles.delete(key);
      this.tiles.set(key, tile);
    }
    this.goOn();
  }

  /** Return the programmes of a channel that run at some time in the span, and whether more will
   * come. */
  programmes(channel: string, span: Span): { programmes: Listed[]; isWhole: boolean } {
    const group = this.groups.get(channel);
    const programmes: Listed[] = [];
    let isWhole = true;
    for (let at = floor(span.from); at < span.to; at += TILE_MS) {
      const tile = this.tiles.get(`${group} ${at}`);
      isWhole &&= tile !== undefined && (tile.state === "there" || tile.byChannel.size > 0);
      for (const each of tile?.byChannel.get(channel) ?? []) {
        // One that runs over a border is in both tiles.
        if (each.from > (programmes[programmes.length - 1]?.from ?? Number.NEGATIVE_INFINITY))
          programmes.push(each);
      }
    }
    return { programmes, isWhole };
  }

  private goOn(): void {
    for (const key of this.wanted) {
      if (this.asking >= AT_A_TIME) return;
      const tile = this.tiles.get(key);
      const age = this.now() - (tile?.askedAt ?? Number.NEGATIVE_INFINITY);
      if (tile && age < (tile.state === "failed" ? AGAIN_MS : FRESH_MS)) continue;
      void this.fetch(key, tile);
    }
  }

  private async fetch(key: string, old: Tile | undefined): Promise<void> {
    const [group = 0, at = 0] = key.split(" ").map(Number);
    const ids = this.channels.slice(group * TILE_CHANNELS, (group + 1) * TILE_CHANNELS);
    const tile: Tile = {
      byChannel: old?.byChannel ?? new Map(),
      askedAt: this.now(),
      state: "asked",
    };
    this.tiles.set(key, tile);
    this.asking++;
    try {
      const programmes = await this.ask(ids, { from: at, to: at + TILE_MS });
      tile.byChannel = byChannel(programmes);
      tile.state = "there";
      this.trouble = undefined;
    } catch (error) {
      tile.state = "failed";
      this.trouble = error instanceof Error ? error.message : String(error);
    } finally {
      this.asking--;
    }
    for (const [oldest] of this.tiles) {
      if (this.tiles.size <= MOST_TILES) break;
      this.tiles.delete(oldest);
    }
    this.onChange();
    this.goOn();
  }
}

function floor(time: number): number {
  return Math.floor(time / TILE_MS) * TILE_MS;
}

function byChannel(programmes: readonly Programme[]): Map<string, Listed[]> {
  const found = new Map<string, Listed[]>();
  for (const about of programmes) {
    const listed = { from: Date.parse(about.begin), to: Date.parse(about.end), about };
    const others = found.get(about.channel);
    if (others) others.push(listed);
    else found.set(about.channel, [listed]);
  }
  return found;
}

async function readGuide(ids: readonly string[], span: Span): Promise<readonly Programme[]> {
  const found: Programme[] = [];
  const values = {
    channels: ids.join(","),
    from: new Date(span.from).toISOString(),
    to: new Date(span.to).toISOString(),
    brief: true,
    limit: 5000,
  };
  let after: string | null = null;
  do {
    const guide: Guide = await read<Guide>(
      "/guide",
      after === null ? values : { ...values, after },
    );
    found.push(...guide.programmes);
    after = guide.next;
  } while (after !== null);
  return found;
}
