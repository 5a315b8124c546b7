/** Playback by hls.js: every browser with Media Source Extensions. */
import Hls, { type ErrorData, type Fragment, type HlsConfig, type LevelDetails } from "hls.js";
import {
  bufferedAhead,
  type Engine,
  type EngineEvents,
  type Figures,
  type SoundTrack,
  type TextTrackChoice,
} from "./engine";
import { ACCEPT, CONFIG, playlistLoader } from "./hls-config";
import { troubleOf } from "./hls-trouble";
import { type ImageRendition, imageRenditions } from "./image-cues";
import { playbackRate } from "./pace";
import { TextCues } from "./text-cues";
import { isPlayedOut, type Span, type Window } from "./timeline";

/** Loaded segments by which the bit rate is computed. */
const MEASURED_SEGMENTS = 8;
const HZ = 90_000;
/** Parts of the slowest track that lie ready ahead of the live position. */
const LEAST_PARTS = 2;
/** Files that are under way when the pictures stand at the end of a stream may still come, in ms. */
const LAST_FILES_MS = 1000;
/** How far ahead images are fetched, in seconds. */
const AHEAD_S = 4;

export class HlsEngine implements Engine {
  readonly #hls: Hls;
  readonly #video: HTMLVideoElement;
  readonly #events: EngineEvents;
  #images: ImageRendition[] = [];
  #isInterlaced = false;
  #isRadio = false;
  #codedHeight: number | undefined;
  #hasRecovered = false;
  #isFar = false;
  #endTimer = 0;
  /** Longest time by which the sound's playlist ended before the video's, in seconds. */
  #lag = 0;
  /** Media time 0 in seconds of the decode line, by number of discontinuities. */
  readonly #zero = new Map<number, number>();
  /** Cues by track: hls.js loads what it has loaded once no second time. */
  readonly #cues = new Map<number, TextCues<VTTCue>>();
  #loaded: { bits: number; seconds: number }[] = [];

  static isSupported(): boolean {
    return "MediaSource" in window && Hls.isSupported();
  }

  /** `sound` is the language of the sound to begin with. */
  constructor(
    video: HTMLVideoElement,
    url: string,
    sound: string | undefined,
    events: EngineEvents,
  ) {
    this.#video = video;
    this.#events = events;
    this.#hls = new Hls({
      ...CONFIG,
      ...(sound === undefined ? {} : { audioPreference: { lang: sound } }),
      pLoader: playlistLoader((text) => this.#onPlaylist(text)) as unknown as HlsConfig["pLoader"] &
        object,
      xhrSetup: (request, address) => {
        if (address.endsWith("/index.m3u8")) request.setRequestHeader("Accept", ACCEPT);
      },
    });
    this.#listen();
    video.addEventListener("timeupdate", this.#steer);
    this.#hls.loadSource(url);
    this.#hls.attachMedia(video);
  }

  #listen(): void {
    const hls = this.#hls;
    hls.on(Hls.Events.MANIFEST_LOADED, (_, data) => {
      const told = data.sessionData ?? {};
      this.#images = imageRenditions(told["org.xg2g.images"]?.["VALUE"]);
      this.#isInterlaced = told["org.xg2g.interlaced"]?.["VALUE"] === "yes";
    });
    hls.on(Hls.Events.MANIFEST_PARSED, (_, data) => {
      const level = data.levels[0];
      this.#codedHeight = level?.height || undefined;
      this.#isRadio = !data.video;
      hls.subtitleTrack = -1;
      this.#events.onTracks();
    });
    hls.once(Hls.Events.LEVEL_LOADED, () => queueMicrotask(() => this.holdBack(this.#isFar)));
    hls.on(Hls.Events.LEVEL_UPDATED, this.#endIfOver);
    hls.on(Hls.Events.AUDIO_TRACK_UPDATED, (_, { details }) => this.#takeLag(details));
    hls.on(Hls.Events.AUDIO_TRACKS_UPDATED, () => this.#events.onTracks());
    hls.on(Hls.Events.AUDIO_TRACK_SWITCHED, () => this.#events.onTracks());
    hls.on(Hls.Events.SUBTITLE_TRACKS_UPDATED, () => this.#events.onTracks());
    hls.on(Hls.Events.CUES_PARSED, (_, { cues, subtitleTrack }) => {
      if (subtitleTrack) this.#takeCues(subtitleTrack.id, cues as VTTCue[]);
    });
    hls.on(Hls.Events.INIT_PTS_FOUND, (_, data) => {
      this.#zero.set(data.frag.cc, data.initPTS / data.timescale);
    });
    hls.on(Hls.Events.FRAG_LOADED, (_, { frag, part }) => {
      if (frag.type !== "main") return;
      this.#measure(part?.duration ?? frag.duration, (part ?? frag).stats.total);
    });
    hls.on(Hls.Events.ERROR, (_, data) => this.#onError(data));
  }

  /** Play a little slower or faster near the live position. */
  readonly #steer = (): void => {
    const details = this.#details;
    const live = this.#hls.liveSyncPosition;
    const rate = playbackRate({
      buffer: bufferedAhead(this.#video),
      behind: live === null ? 0 : live - this.#video.currentTime,
      rewound: details?.targetduration ?? 0,
      isLive: details?.live ?? false,
    });
    if (this.#video.playbackRate !== rate) this.#video.playbackRate = rate;
  };

  /** After the stream has ended, report it once the picture stands. No event does in every browser. */
  readonly #endIfOver = (): void => {
    if (this.#endTimer !== 0 || this.#details?.live !== false) return;
    let before = Number.NaN;
    this.#endTimer = window.setInterval(() => {
      const details = this.#details;
      const { currentTime, paused } = this.#video;
      if (!paused && details !== null && isPlayedOut(details, currentTime, before)) {
        this.#events.onTrouble({ kind: "ended" });
      }
      before = currentTime;
    }, LAST_FILES_MS);
  };

  #measure(seconds: number, bytes: number): void {
    if (seconds <= 0) return;
    this.#loaded = [...this.#loaded, { bits: bytes * 8, seconds }].slice(-MEASURED_SEGMENTS * 6);
  }

  #onError(data: ErrorData): void {
    if (!data.fatal) return;
    const trouble = troubleOf(data);
    if (trouble.kind === "media" && !trouble.isLasting && !this.#hasRecovered) {
      this.#hasRecovered = true;
      this.#hls.recoverMediaError();
      return;
    }
    this.#hls.stopLoad();
    this.#events.onTrouble(trouble);
  }

  get sounds(): SoundTrack[] {
    return this.#hls.audioTracks.map((track) => ({
      id: track.id,
      language: track.lang || null,
      isDescription: (track.characteristics ?? "").includes("describes-video"),
      channels: Number.parseInt(track.channels ?? "", 10) || undefined,
    }));
  }

  get texts(): TextTrackChoice[] {
    return this.#hls.subtitleTracks.map((track) => ({
      id: track.id,
      language: track.lang || null,
      isHearingImpaired: (track.characteristics ?? "").includes("describes-music-and-sound"),
    }));
  }

  get images(): ImageRendition[] {
    return this.#images;
  }

  get isInterlaced(): boolean {
    return this.#isInterlaced;
  }

  get codedHeight(): number | undefined {
    return this.#codedHeight;
  }

  get isRadio(): boolean {
    return this.#isRadio;
  }

  sound(): number | undefined {
    return this.#hls.audioTrack < 0 ? undefined : this.#hls.audioTrack;
  }

  setSound(id: number): void {
    if (this.#hls.audioTrack !== id) this.#hls.audioTrack = id;
  }

  setText(id: number | undefined): void {
    this.#hls.subtitleTrack = id ?? -1;
  }

  /** Where playback begins is decided as soon as hls.js sees the first media playlist. */
  #onPlaylist(text: string): void {
    if (this.#details !== null || !this.#isFar) return;
    const near = Number(/PART-HOLD-BACK=([\d.]+)/.exec(text)?.[1]);
    const target = Number(/#EXT-X-TARGETDURATION:(\d+)/.exec(text)?.[1]);
    if (near > 0 && target > 0) this.#hls.targetLatency = near + target;
  }

  /**
   * Keep the live position where every track has something. Sound is sent later than the pictures
   * that belong to it, and hls.js counts from the end of the pictures alone: it would wait for ever
   * for sound that is not there yet.
   */
  #takeLag(sound: LevelDetails): void {
    const details = this.#details;
    if (!details?.live) return;
    this.#lag = Math.max(this.#lag, details.partEnd - sound.partEnd);
    this.holdBack(this.#isFar);
  }

  holdBack(isFar: boolean): void {
    const details = this.#details;
    this.#isFar = isFar;
    if (!details) return;
    const told = details.partHoldBack || details.holdBack;
    const near = Math.max(
      told,
      this.#lag + LEAST_PARTS * (details.partTarget || details.targetduration),
    );
    const wanted = near + (isFar ? details.targetduration : 0);
    if (Math.abs((this.#hls.targetLatency ?? 0) - wanted) < 0.01) return;
    const position = this.#hls.liveSyncPosition;
    const wasLive =
      position !== null && this.#video.currentTime > position - details.targetduration;
    this.#hls.targetLatency = wanted;
    const next = this.#hls.liveSyncPosition;
    if (wasLive && next !== null && next < this.#video.currentTime) this.#video.currentTime = next;
  }

  #takeCues(track: number, cues: readonly VTTCue[]): void {
    const known = this.#cues.get(track) ?? new TextCues();
    known.add(cues);
    this.#cues.set(track, known);
  }

  cuesAt(time: number): VTTCue[] {
    return this.#cues.get(this.#hls.subtitleTrack)?.at(time) ?? [];
  }

  get #details(): LevelDetails | null {
    return this.#hls.latestLevelDetails;
  }

  window(): Window | undefined {
    const details = this.#details;
    const first = details?.fragments[0];
    if (!details || first === undefined) return undefined;
    const spans: Span[] = details.fragments.flatMap((fragment) =>
      fragment.programDateTime === null
        ? []
        : [{ start: fragment.start, end: fragment.end, at: fragment.programDateTime }],
    );
    const playable = details.fragments.find((fragment) => !fragment.gap) ?? first;
    const live = details.live ? (this.#hls.liveSyncPosition ?? details.edge) : details.edge;
    return {
      start: playable.start,
      end: details.edge,
      live: Math.max(live, playable.start),
      spans,
    };
  }

  figures(): Figures {
    const video = this.#video;
    const level = this.#hls.levels[Math.max(this.#hls.currentLevel, 0)];
    const seconds = this.#loaded.reduce((sum, each) => sum + each.seconds, 0);
    const bits = this.#loaded.reduce((sum, each) => sum + each.bits, 0);
    return {
      width: video.videoWidth || undefined,
      height: video.videoHeight || undefined,
      frameRate: level?.frameRate || undefined,
      codecs: [level?.videoCodec, level?.audioCodec].filter(Boolean).join(", ") || undefined,
      bitrate: seconds > 0 ? bits / seconds : undefined,
      buffer: bufferedAhead(video),
      delay: this.#hls.latency || undefined,
    };
  }

  renditionUrl(path: string): string | undefined {
    const playlist = this.#details?.url;
    return playlist === undefined ? undefined : new URL(path, playlist).href;
  }

  to90k(time: number): number | undefined {
    const fragment = this.#fragmentAt(time);
    const zero = fragment && this.#zero.get(fragment.cc);
    return zero === undefined ? undefined : Math.round((time + zero) * HZ);
  }

  #fragmentAt(time: number): Fragment | undefined {
    const fragments = this.#details?.fragments ?? [];
    return fragments.find((fragment) => fragment.end > time) ?? fragments[fragments.length - 1];
  }

  segmentsAt(time: number): number[] {
    // Those that are whole: the files of the next one do not exist yet.
    return (this.#details?.fragments ?? []).flatMap((fragment) =>
      typeof fragment.sn === "number" &&
      !fragment.gap &&
      fragment.end > time &&
      fragment.start < time + AHEAD_S
        ? [fragment.sn]
        : [],
    );
  }

  destroy(): void {
    window.clearInterval(this.#endTimer);
    this.#video.removeEventListener("timeupdate", this.#steer);
    this.#video.playbackRate = 1;
    this.#hls.destroy();
  }
}
