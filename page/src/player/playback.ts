/** Plays channels in one video element: opening, zapping, trouble and recovery. */
import { type DeinterlaceFigures, Deinterlacer, type Refusal } from "./deinterlacer";
import type { Engine, Figures, SoundTrack } from "./engine";
import { HlsEngine } from "./hls-engine";
import { ImageSubtitles } from "./image-subtitles";
import { trackLabels } from "./language";
import { NativeEngine } from "./native-engine";
import { loadPreferences, type Preferences, savePreferences } from "./preferences";
import { TextSubtitles } from "./text-subtitles";
import { isLive, type Window, withinWindow } from "./timeline";
import { type Explanation, explain, type Trouble } from "./trouble";

/** A stop of the picture that is longer is trouble, in ms. The gateway itself bridges 12 s. */
const STALLED_MS = 20_000;
/** Playback that lasts longer ends a series of attempts, in ms. */
const SETTLED_MS = 10_000;

/** Time that the gateway has to note that a channel was left, in ms. */
const LEAVING_MS = 150;
/** Time within which the channel before may still have the tuner, and between attempts, in ms. */
const MADE_WAY_MS = 3000;
const MAKING_WAY_MS = 250;

export interface Elements {
  video: HTMLVideoElement;
  /** Keeps the last picture while the next channel opens. */
  still: HTMLCanvasElement;
  /** The de-interlaced picture. */
  fields: HTMLCanvasElement;
  /** Subtitles that are images. */
  images: HTMLCanvasElement;
  /** Subtitles that are text. */
  cues: HTMLElement;
}

export interface Choice {
  /** `off`, `text:ID` or `images:RENDITION`; for sound its id. */
  value: string;
  label: string;
  language: string | null;
}

export type DeinterlaceState = "not-needed" | "off" | "on" | Refusal;

export interface State {
  /** The index that plays. */
  url: string | undefined;
  phase: "idle" | "opening" | "playing" | "paused" | "waiting" | "trouble";
  trouble: (Explanation & { kind: Trouble["kind"]; retryAt: number | undefined }) | undefined;
  isMuted: boolean;
  /** Muted by the browser's rule for pages that start by themselves, not by the user. */
  isMutedByBrowser: boolean;
  volume: number;
  isRadio: boolean;
  sounds: Choice[];
  sound: string | undefined;
  subtitles: Choice[];
  subtitle: string;
  deinterlace: DeinterlaceState;
  /** From the call to the first picture, in ms. */
  firstPictureMs: number | undefined;
}

const OPENING: Omit<State, "url" | "isMuted" | "isMutedByBrowser" | "volume"> = {
  phase: "opening",
  trouble: undefined,
  isRadio: false,
  sounds: [],
  sound: undefined,
  subtitles: [],
  subtitle: "off",
  deinterlace: "not-needed",
  firstPictureMs: undefined,
};

export class Playback {
  readonly #elements: Elements;
  readonly #onChange: (state: State) => void;
  readonly #abort = new AbortController();
  #preferences: Preferences = loadPreferences();
  #state: State;
  #url: string | undefined;
  #engine: Engine | undefined;
  /** Counts openings: what an earlier one still reports is nobody's concern. */
  #opening = 0;
  #attempt = 0;
  #retryTimer = 0;
  #stallTimer = 0;
  #settledTimer = 0;
  #fields: Deinterlacer | undefined;
  #subtitles: { close(): void } | undefined;
  #isPauseWanted = false;
  #tunedAt = Number.NEGATIVE_INFINITY;

  constructor(elements: Elements, onChange: (state: State) => void) {
    this.#elements = elements;
    this.#onChange = onChange;
    const { volume, isMuted } = this.#preferences;
    this.#state = {
      ...OPENING,
      url: undefined,
      phase: "idle",
      isMuted,
      isMutedByBrowser: false,
      volume,
    };
    elements.video.volume = volume;
    elements.video.muted = isMuted;
    this.#listen();
  }

  get state(): State {
    return this.#state;
  }

  #set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    this.#onChange(this.#state);
  }

  #listen(): void {
    const { signal } = this.#abort;
    const { video } = this.#elements;
    const on = (name: string, act: () => void) => video.addEventListener(name, act, { signal });
    on("playing", () => this.#onPlaying());
    on("pause", () => this.#onPause());
    on("waiting", () => this.#onWaiting());
    on("ended", () => this.#onTrouble({ kind: "ended" }));
    on("volumechange", () => this.#set({ isMuted: video.muted, volume: video.volume }));
    window.addEventListener("online", () => this.#retryIfFailed(), { signal });
    window.addEventListener("pagehide", () => this.#leave(), { signal });
    window.addEventListener("pageshow", (event) => event.persisted && this.#open(), { signal });
  }

  // Opening and zapping

  /** Play the stream of this index. What played before stays in the picture until this one shows. */
  tune(url: string): void {
    this.#keepPicture();
    this.#close();
    const before = this.#url;
    this.#attempt = 0;
    this.#isPauseWanted = false;
    this.#url = url;
    this.#tunedAt = performance.now();
    const opening = ++this.#opening;
    this.#set({ ...OPENING, url });
    if (before === undefined || before === url) this.#open();
    else void leave(before).then(() => opening === this.#opening && this.#open());
  }

  /** Let go of the present channel as the page goes. */
  #leave(): void {
    this.#close();
    if (this.#url !== undefined) navigator.sendBeacon?.(leaveUrl(this.#url));
  }

  #open(): void {
    const url = this.#url;
    if (url === undefined) return;
    this.#keepPicture();
    this.#close();
    const opening = ++this.#opening;
    this.#set({ ...OPENING, url });
    this.#watchForStall();
    const began = performance.now();
    const { video } = this.#elements;
    const mine = (act: () => void) => () => {
      if (opening === this.#opening) act();
    };
    const events = {
      onTracks: mine(() => this.#onTracks()),
      onTrouble: (trouble: Trouble) => mine(() => this.#onTrouble(trouble))(),
    };
    const shown = mine(() => this.#onPicture(performance.now() - began));
    const hasCallback = "requestVideoFrameCallback" in video;
    const played = mine(() => {
      if (!hasCallback || this.#state.isRadio) this.#onPicture(performance.now() - began);
    });
    if (HlsEngine.isSupported()) {
      this.#engine = new HlsEngine(video, url, this.#preferences.sound ?? undefined, events);
    } else if (NativeEngine.isSupported()) {
      this.#engine = new NativeEngine(video, url, events);
    } else {
      const detail = "This browser plays no HTTP Live Streaming.";
      this.#onTrouble({ kind: "media", isLasting: true, detail });
      return;
    }
    if (hasCallback) video.requestVideoFrameCallback(shown);
    // Without pictures, and in browsers without the callback.
    video.addEventListener("playing", played, { signal: this.#abort.signal, once: true });
    void this.#play();
  }

  async #play(): Promise<void> {
    const { video } = this.#elements;
    const opening = this.#opening;
    try {
      await video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return;
      if (opening !== this.#opening) return;
      if (video.muted) {
        this.#onTrouble({ kind: "autoplay" });
        return;
      }
      video.muted = true;
      this.#set({ isMutedByBrowser: true });
      await this.#play();
    }
  }

  /** Paint the present picture over the video, whose own goes with its source. */
  #keepPicture(): void {
    const { video, still, fields } = this.#elements;
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || video.videoWidth === 0) return;
    const source = fields.hidden ? video : fields;
    still.width = video.videoWidth;
    still.height = video.videoHeight;
    still.getContext("2d")?.drawImage(source, 0, 0, still.width, still.height);
    still.hidden = false;
  }

  #onPicture(ms: number): void {
    if (this.#state.firstPictureMs !== undefined) return;
    this.#elements.still.hidden = true;
    this.#set({ firstPictureMs: Math.round(ms) });
    this.#deinterlaceIfWanted();
  }

  /** Let go of the present source. */
  #close(): void {
    window.clearTimeout(this.#retryTimer);
    window.clearTimeout(this.#stallTimer);
    window.clearTimeout(this.#settledTimer);
    this.#subtitles?.close();
    this.#subtitles = undefined;
    this.#fields?.close();
    this.#fields = undefined;
    this.#engine?.destroy();
    this.#engine = undefined;
  }

  /** End playback for good. */
  destroy(): void {
    this.#opening += 1;
    this.#abort.abort();
    this.#leave();
  }

  // Trouble

  #onTrouble(trouble: Trouble): void {
    if (this.#state.phase === "trouble") return;
    this.#keepPicture();
    this.#close();
    if (this.#isMakingWay(trouble)) {
      this.#close();
      this.#retryTimer = window.setTimeout(() => this.#open(), MAKING_WAY_MS);
      return;
    }
    const explanation = explain(trouble, this.#attempt);
    const { retryAfter } = explanation;
    if (retryAfter === 0) {
      this.#attempt += 1;
      this.#open();
      return;
    }
    if (trouble.kind === "refused" || trouble.kind === "media") this.#elements.still.hidden = true;
    const retryAt = retryAfter === undefined ? undefined : Date.now() + retryAfter * 1000;
    this.#set({ phase: "trouble", trouble: { ...explanation, kind: trouble.kind, retryAt } });
    if (retryAfter === undefined) {
      // Somebody else may have the tuner meanwhile.
      if (trouble.kind === "media" && this.#url !== undefined) void leave(this.#url);
      return;
    }
    this.#retryTimer = window.setTimeout(() => this.retry(), retryAfter * 1000);
  }

  /** Whether the only tuner is still that of the channel before, which the gateway is just closing. */
  #isMakingWay(trouble: Trouble): boolean {
    return (
      trouble.kind === "refused" &&
      trouble.users.some((user) => user.isOwn) &&
      performance.now() - this.#tunedAt < MADE_WAY_MS
    );
  }

  /** Try again now. */
  retry(): void {
    this.#attempt += 1;
    this.#open();
  }

  #retryIfFailed(): void {
    if (this.#state.phase === "trouble" && this.#state.trouble?.retryAt !== undefined) this.retry();
  }

  #watchForStall(): void {
    window.clearTimeout(this.#stallTimer);
    const opening = this.#opening;
    this.#stallTimer = window.setTimeout(() => {
      if (opening !== this.#opening || !["opening", "waiting"].includes(this.#state.phase)) return;
      // Without a window the gateway is still tuning; it says by itself when that fails.
      if (this.window() === undefined) this.#watchForStall();
      else this.#onTrouble({ kind: "stalled" });
    }, STALLED_MS);
  }

  #onPlaying(): void {
    if (this.#engine === undefined) return;
    window.clearTimeout(this.#stallTimer);
    this.#set({ phase: "playing", trouble: undefined });
    window.clearTimeout(this.#settledTimer);
    this.#settledTimer = window.setTimeout(() => {
      this.#attempt = 0;
    }, SETTLED_MS);
  }

  #onPause(): void {
    const { video } = this.#elements;
    if (this.#engine === undefined || video.ended || this.#state.phase === "opening") return;
    window.clearTimeout(this.#stallTimer);
    this.#set({ phase: "paused" });
  }

  #onWaiting(): void {
    window.clearTimeout(this.#settledTimer);
    if (this.#engine === undefined || this.#state.phase !== "playing") return;
    this.#set({ phase: "waiting" });
    this.#watchForStall();
  }

  // Pause and rewind

  window(): Window | undefined {
    return this.#engine?.window();
  }

  togglePause(): void {
    const { video } = this.#elements;
    if (this.#state.phase === "trouble") {
      this.retry();
      return;
    }
    if (!video.paused) {
      this.#isPauseWanted = true;
      video.pause();
      return;
    }
    this.#isPauseWanted = false;
    const window = this.window();
    // What was paused longer than the window reaches goes on at its beginning.
    if (window && video.currentTime < window.start) {
      video.currentTime = withinWindow(window, video.currentTime);
    }
    void this.#play();
  }

  get isPauseWanted(): boolean {
    return this.#isPauseWanted;
  }

  seekTo(time: number): void {
    const window = this.window();
    if (window === undefined) return;
    this.#elements.video.currentTime = withinWindow(window, time);
  }

  seekBy(seconds: number): void {
    this.seekTo(this.#elements.video.currentTime + seconds);
  }

  goLive(): void {
    const window = this.window();
    if (window && !isLive(window, this.#elements.video.currentTime)) this.seekTo(window.live);
    if (this.#elements.video.paused) this.togglePause();
  }

  // Sound

  setVolume(volume: number): void {
    const { video } = this.#elements;
    video.volume = Math.min(Math.max(volume, 0), 1);
    video.muted = video.volume === 0;
    this.#onSoundChosen();
  }

  toggleMute(): void {
    const { video } = this.#elements;
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = 0.5;
    this.#onSoundChosen();
  }

  #onSoundChosen(): void {
    const { video } = this.#elements;
    this.#set({ isMutedByBrowser: false });
    this.#remember({ volume: video.volume, isMuted: video.muted });
    // A browser may pause what it only let start because it was muted.
    if (video.paused && !this.#isPauseWanted) void this.#play();
  }

  #remember(change: Partial<Preferences>): void {
    this.#preferences = { ...this.#preferences, ...change };
    savePreferences(this.#preferences);
  }

  // Tracks

  #onTracks(): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    const wanted = this.#preferredSound(engine.sounds);
    if (wanted !== undefined && engine.sound() !== wanted && this.#state.sound === undefined) {
      engine.setSound(wanted);
    }
    const current = engine.sound();
    const subtitles = subtitleChoices(engine);
    this.#set({
      isRadio: engine.isRadio,
      sounds: soundChoices(engine.sounds),
      sound: current === undefined ? undefined : String(current),
      subtitles,
    });
    const { subtitle } = this.#state;
    const preferred = subtitles.find(({ language }) => language === this.#preferences.subtitles);
    if (subtitle === "off" && preferred && this.#preferences.subtitles !== null) {
      this.#showSubtitle(preferred.value);
    }
    this.#deinterlaceIfWanted();
  }

  #preferredSound(sounds: readonly SoundTrack[]): number | undefined {
    const { sound: language, isDescription } = this.#preferences;
    if (language === null) return undefined;
    const spoken = sounds.filter((track) => track.language === language);
    return (spoken.find((track) => track.isDescription === isDescription) ?? spoken[0])?.id;
  }

  chooseSound(value: string): void {
    const track = this.#engine?.sounds.find(({ id }) => String(id) === value);
    if (track === undefined) return;
    this.#remember({ sound: track.language, isDescription: track.isDescription });
    this.#engine?.setSound(track.id);
    this.#set({ sound: value });
  }

  chooseSubtitle(value: string): void {
    const choice = this.#state.subtitles.find((each) => each.value === value);
    this.#remember({ subtitles: choice?.language ?? null });
    this.#showSubtitle(choice === undefined ? "off" : value);
  }

  #showSubtitle(value: string): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    this.#subtitles?.close();
    this.#subtitles = undefined;
    const { video, cues, images } = this.#elements;
    const [kind, name = ""] = value.split(":");
    engine.setText(kind === "text" ? Number(name) : undefined);
    engine.holdBack(value !== "off");
    if (kind === "text") {
      this.#subtitles = new TextSubtitles(video, cues, (time) => engine.cuesAt(time));
    } else if (kind === "images") {
      this.#subtitles = new ImageSubtitles(video, images, engine, name);
    }
    this.#set({ subtitle: value });
  }

  /** Go on to the next sound, or to the next subtitles and off. Returns its label. */
  nextSound(): string | undefined {
    const { sounds, sound } = this.#state;
    const next = sounds[(sounds.findIndex(({ value }) => value === sound) + 1) % sounds.length];
    if (next) this.chooseSound(next.value);
    return next?.label;
  }

  nextSubtitle(): string | undefined {
    const { subtitles, subtitle } = this.#state;
    const next = subtitles[subtitles.findIndex(({ value }) => value === subtitle) + 1];
    this.chooseSubtitle(next?.value ?? "off");
    return next?.label;
  }

  // De-interlacing

  setDeinterlace(isWanted: boolean): void {
    this.#remember({ isDeinterlaced: isWanted });
    this.#fields?.close();
    this.#fields = undefined;
    this.#set({ deinterlace: "not-needed" });
    this.#deinterlaceIfWanted();
  }

  #deinterlaceIfWanted(): void {
    const engine = this.#engine;
    if (engine === undefined || this.#state.firstPictureMs === undefined) return;
    if (!engine.isInterlaced || this.#state.deinterlace !== "not-needed") return;
    if (!this.#preferences.isDeinterlaced) {
      this.#set({ deinterlace: "off" });
      return;
    }
    const { video, fields } = this.#elements;
    // A browser that stretches the picture in height has mixed the fields.
    if (engine.codedHeight !== undefined && video.videoHeight !== engine.codedHeight) {
      this.#set({ deinterlace: "unavailable" });
      return;
    }
    this.#set({ deinterlace: "on" });
    this.#fields = new Deinterlacer(video, fields, (refusal) => {
      this.#fields = undefined;
      this.#set({ deinterlace: refusal });
    });
  }

  figures(): Figures & { fields: DeinterlaceFigures | undefined; dropped: number | undefined } {
    const quality = this.#elements.video.getVideoPlaybackQuality?.();
    const none: Figures = {
      width: undefined,
      height: undefined,
      frameRate: undefined,
      codecs: undefined,
      bitrate: undefined,
      buffer: undefined,
      delay: undefined,
    };
    return {
      ...(this.#engine?.figures() ?? none),
      fields: this.#fields?.figures(),
      dropped: quality?.droppedVideoFrames,
    };
  }
}

function leaveUrl(index: string): string {
  return new URL("leave", index).href;
}

/**
 * Tell the gateway that a channel was left: its tuner may be the only one, and the next channel
 * needs it now. Settles once it knows, or after a moment.
 */
async function leave(index: string): Promise<void> {
  const told = fetch(leaveUrl(index), { method: "POST", keepalive: true }).catch(() => {
    // The next request meets the same trouble, and reports it.
  });
  await Promise.race([told, new Promise((resolve) => setTimeout(resolve, LEAVING_MS))]);
}

function soundChoices(sounds: readonly SoundTrack[]): Choice[] {
  const described = sounds.map(({ language, isDescription }) => ({
    language,
    purpose: isDescription ? "audio description" : undefined,
  }));
  const labels = trackLabels(described, "Sound");
  return sounds.map(({ id, language }, index) => ({
    value: String(id),
    label: labels[index] ?? "",
    language,
  }));
}

function subtitleChoices(engine: Engine): Choice[] {
  // Those that are sent both ways read alike otherwise.
  const isMarked = engine.texts.length > 0;
  const tracks = [
    ...engine.texts.map((track) => ({ ...track, value: `text:${track.id}`, form: "" })),
    ...engine.images.map((track) => ({
      ...track,
      value: `images:${track.rendition}`,
      form: isMarked ? "as images" : "",
    })),
  ];
  const labels = trackLabels(
    tracks.map(({ language, isHearingImpaired, form }) => ({
      language,
      purpose: [isHearingImpaired ? "hard of hearing" : "", form].filter(Boolean).join(", "),
    })),
    "Subtitles",
  );
  return tracks.map(({ value, language }, index) => ({
    value,
    label: labels[index] ?? "",
    language,
  }));
}
