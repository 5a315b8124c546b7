/** Playback of channels in one video element: opening, zapping, trouble and recovery. */
import type { DeinterlaceFigures } from "./deinterlacer";
import { Deinterlacing } from "./deinterlacing";
import { type Engine, type Figures, NO_FIGURES } from "./engine";
import { engineFor } from "./engines";
import { leave, leaveUrl } from "./leaving";
import { KeptPreferences } from "./preferences";
import { type Elements, OPENING, type State, StateStore } from "./state";
import { keepPicture } from "./still";
import { isLive, type Window, withinWindow } from "./timeline";
import { Tracks } from "./tracks";
import { explain, type Trouble } from "./trouble";

/** A picture that stands for longer is trouble, in ms. The gateway itself bridges 12 s. */
const STALLED_MS = 20_000;
/** Playback for this time ends a series of failed attempts, in ms. */
const SETTLED_MS = 10_000;

/** Time for which the previous channel may still hold the tuner, in ms. */
const TUNER_FREED_MS = 3000;
/** Time between attempts meanwhile, in ms. */
const TUNER_RETRY_MS = 250;

export class Playback {
  readonly #elements: Elements;
  readonly #store: StateStore;
  readonly #abort = new AbortController();
  readonly #preferences = new KeptPreferences();
  readonly #tracks: Tracks;
  readonly #deinterlacing: Deinterlacing;
  #url: string | undefined;
  #engine: Engine | undefined;
  /** Number of openings: reports of an earlier opening are ignored. */
  #opening = 0;
  #attempt = 0;
  #retryTimer = 0;
  #stallTimer = 0;
  #settledTimer = 0;
  #isPauseWanted = false;
  #tunedAt = Number.NEGATIVE_INFINITY;

  constructor(elements: Elements, onChange: (state: State) => void) {
    this.#elements = elements;
    const { volume, isMuted } = this.#preferences.current;
    const idle = { ...OPENING, url: undefined, phase: "idle" } as const;
    this.#store = new StateStore({ ...idle, isMuted, isMutedByBrowser: false, volume }, onChange);
    this.#tracks = new Tracks(elements, this.#preferences, this.#store);
    this.#deinterlacing = new Deinterlacing(elements, this.#preferences, this.#store);
    elements.video.volume = volume;
    elements.video.muted = isMuted;
    this.#listen();
  }

  get state(): State {
    return this.#store.state;
  }

  #listen(): void {
    const { signal } = this.#abort;
    const { video } = this.#elements;
    const on = (name: string, act: () => void) => video.addEventListener(name, act, { signal });
    on("playing", () => this.#onPlaying());
    on("pause", () => this.#onPause());
    on("waiting", () => this.#onWaiting());
    on("ended", () => this.#onTrouble({ kind: "ended" }));
    on("volumechange", () => this.#store.set({ isMuted: video.muted, volume: video.volume }));
    window.addEventListener("online", () => this.#retryIfFailed(), { signal });
    window.addEventListener("pagehide", () => this.#leave(), { signal });
    window.addEventListener("pageshow", (event) => event.persisted && this.#open(), { signal });
  }

  // Opening and zapping

  /** Play the stream of this playlist. The last picture stays until the new stream shows one. */
  tune(url: string): void {
    keepPicture(this.#elements);
    this.#close();
    const before = this.#url;
    this.#attempt = 0;
    this.#isPauseWanted = false;
    this.#url = url;
    this.#tunedAt = performance.now();
    const opening = ++this.#opening;
    this.#store.set({ ...OPENING, url });
    if (before === undefined || before === url) this.#open();
    else void leave(before).then(() => opening === this.#opening && this.#open());
  }

  /** Let go of the channel because the page is left. */
  #leave(): void {
    this.#close();
    if (this.#url !== undefined) navigator.sendBeacon?.(leaveUrl(this.#url));
  }

  #open(): void {
    const url = this.#url;
    if (url === undefined) return;
    keepPicture(this.#elements);
    this.#close();
    const opening = ++this.#opening;
    this.#store.set({ ...OPENING, url });
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
      if (!hasCallback || this.#store.state.isRadio) this.#onPicture(performance.now() - began);
    });
    this.#engine = engineFor(video, url, this.#preferences.current.sound, events);
    if (this.#engine === undefined) {
      const detail = "This browser does not support HTTP Live Streaming.";
      this.#onTrouble({ kind: "media", isLasting: true, detail });
      return;
    }
    if (hasCallback) video.requestVideoFrameCallback(shown);
    // For radio, and for browsers without the callback.
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
      this.#store.set({ isMutedByBrowser: true });
      await this.#play();
    }
  }

  #onPicture(ms: number): void {
    if (this.#store.state.firstPictureMs !== undefined) return;
    this.#elements.still.hidden = true;
    this.#store.set({ firstPictureMs: Math.round(ms) });
    this.#deinterlacing.startIfWanted(this.#engine);
  }

  /** Let go of the engine. */
  #close(): void {
    window.clearTimeout(this.#retryTimer);
    window.clearTimeout(this.#stallTimer);
    window.clearTimeout(this.#settledTimer);
    this.#tracks.close();
    this.#deinterlacing.close();
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
    if (this.#store.state.phase === "trouble") return;
    keepPicture(this.#elements);
    this.#close();
    if (this.#holdsTuner(trouble)) {
      this.#close();
      this.#retryTimer = window.setTimeout(() => this.#open(), TUNER_RETRY_MS);
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
    this.#store.set({ phase: "trouble", trouble: { ...explanation, kind: trouble.kind, retryAt } });
    if (retryAfter === undefined) {
      // Another viewer may use the tuner meanwhile.
      if (trouble.kind === "media" && this.#url !== undefined) void leave(this.#url);
      return;
    }
    this.#retryTimer = window.setTimeout(() => this.retry(), retryAfter * 1000);
  }

  /** Tell whether the previous channel still holds the tuner: the gateway is just closing it. */
  #holdsTuner(trouble: Trouble): boolean {
    return (
      trouble.kind === "refused" &&
      trouble.users.some((user) => user.isOwn) &&
      performance.now() - this.#tunedAt < TUNER_FREED_MS
    );
  }

  /** Try again now. */
  retry(): void {
    this.#attempt += 1;
    this.#open();
  }

  #retryIfFailed(): void {
    if (this.#store.state.phase === "trouble" && this.#store.state.trouble?.retryAt !== undefined)
      this.retry();
  }

  #watchForStall(): void {
    window.clearTimeout(this.#stallTimer);
    const opening = this.#opening;
    this.#stallTimer = window.setTimeout(() => {
      if (opening !== this.#opening || !["opening", "waiting"].includes(this.#store.state.phase))
        return;
      // Without a window the gateway is still tuning; it reports a failure itself.
      if (this.window() === undefined) this.#watchForStall();
      else this.#onTrouble({ kind: "stalled" });
    }, STALLED_MS);
  }

  #onPlaying(): void {
    if (this.#engine === undefined) return;
    window.clearTimeout(this.#stallTimer);
    this.#store.set({ phase: "playing", trouble: undefined });
    window.clearTimeout(this.#settledTimer);
    this.#settledTimer = window.setTimeout(() => {
      this.#attempt = 0;
    }, SETTLED_MS);
  }

  #onPause(): void {
    const { video } = this.#elements;
    if (this.#engine === undefined || video.ended || this.#store.state.phase === "opening") return;
    window.clearTimeout(this.#stallTimer);
    this.#store.set({ phase: "paused" });
  }

  #onWaiting(): void {
    window.clearTimeout(this.#settledTimer);
    if (this.#engine === undefined || this.#store.state.phase !== "playing") return;
    this.#store.set({ phase: "waiting" });
    this.#watchForStall();
  }

  // Pause and rewind

  window(): Window | undefined {
    return this.#engine?.window();
  }

  togglePause(): void {
    const { video } = this.#elements;
    if (this.#store.state.phase === "trouble") {
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
    // After a pause that is longer than the window, go on at its beginning.
    if (window && video.currentTime < window.start) {
      video.currentTime = withinWindow(window, video.currentTime);
    }
    void this.#play();
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
    this.#store.set({ isMutedByBrowser: false });
    this.#preferences.remember({ volume: video.volume, isMuted: video.muted });
    // A browser may pause a video that it let start only because it was muted.
    if (video.paused && !this.#isPauseWanted) void this.#play();
  }

  // Tracks and picture

  #onTracks(): void {
    if (this.#engine === undefined) return;
    this.#tracks.update(this.#engine);
    this.#deinterlacing.startIfWanted(this.#engine);
  }

  get tracks(): Pick<Tracks, "chooseSound" | "chooseSubtitle" | "nextSound" | "nextSubtitle"> {
    return this.#tracks;
  }

  setDeinterlace(isWanted: boolean): void {
    this.#deinterlacing.choose(isWanted, this.#engine);
  }

  figures(): Figures & { fields: DeinterlaceFigures | undefined; dropped: number | undefined } {
    const quality = this.#elements.video.getVideoPlaybackQuality?.();
    return {
      ...(this.#engine?.figures() ?? NO_FIGURES),
      fields: this.#deinterlacing.figures(),
      dropped: quality?.droppedVideoFrames,
    };
  }
}
