/** The player of one channel at a time. */
import "./player.css";
import "./controls.css";
import "./messages.css";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError, change, relative } from "../api/client";
import type { Channel, Programme } from "../api/types";
import { Controls } from "./Controls";
import {
  isOn,
  isRunning,
  useControlsTimer,
  useIsLive,
  useNote,
  useNumberEntry,
  useProgrammes,
  useSwipe,
} from "./hooks";
import { Icon } from "./icons";
import { neighbour } from "./number-entry";
import { Playback } from "./playback";
import { SeekBar } from "./SeekBar";
import { SignalPanel } from "./SignalPanel";
import type { State } from "./state";
import {
  followMediaKeys,
  keepScreenOn,
  offersPictureInPicture,
  toggleFullscreen,
  togglePictureInPicture,
  type WebKitVideo,
} from "./system";
import { TroublePanel } from "./TroublePanel";
import type { TunerUser } from "./trouble";
import { useKeyboard } from "./useKeyboard";

export interface PlayerProps {
  /** What plays. */
  channel: Channel;
  /** All channels, in the order in which up and down zap. */
  channels: readonly Channel[];
  /** Called when the player itself goes to another channel: by key, number or swipe. */
  onZap: (channel: Channel) => void;
}

/** Return the address of a channel's index. */
function indexUrl(channel: Channel): string {
  return new URL(`hls/${encodeURIComponent(channel.id)}/index.m3u8`, document.baseURI).href;
}

export function Player({ channel, channels, onZap }: PlayerProps) {
  const root = useRef<HTMLElement>(null);
  const video = useRef<WebKitVideo>(null);
  const still = useRef<HTMLCanvasElement>(null);
  const fields = useRef<HTMLCanvasElement>(null);
  const images = useRef<HTMLCanvasElement>(null);
  const cues = useRef<HTMLDivElement>(null);
  const [playback, setPlayback] = useState<Playback | undefined>(undefined);
  const [reported, setState] = useState<State | undefined>(undefined);
  const url = indexUrl(channel);
  const state = stateOf(reported, url);
  const [isSignalOpen, setSignalOpen] = useState(false);
  const closeSignal = useCallback(() => setSignalOpen(false), []);
  const toggleSignal = useCallback(() => setSignalOpen((is) => !is), []);
  const [isFullscreen, setFullscreen] = useState(false);
  const [note, say] = useNote();
  const [isAwake, wake] = useControlsTimer(state?.phase);
  const programmes = useProgrammes(channel);
  const live = useIsLive(playback, video.current, isAwake);

  useEffect(() => {
    const elements = {
      video: video.current,
      still: still.current,
      fields: fields.current,
      images: images.current,
      cues: cues.current,
    };
    if (!elements.video || !elements.still || !elements.fields) return;
    if (!elements.images || !elements.cues) return;
    const made = new Playback(elements as ConstructorParameters<typeof Playback>[0], setState);
    setState(made.state);
    setPlayback(made);
    return () => made.destroy();
  }, []);

  useEffect(() => {
    playback?.tune(url);
    wake();
  }, [playback, url, wake]);

  const zap = useCallback(
    (steps: number) => {
      const next = neighbour(channels, channel.id, steps);
      if (next && next.id !== channel.id) onZap(next);
    },
    [channels, channel.id, onZap],
  );
  const [entry, typeNumber, commitNumber] = useNumberEntry(channels, onZap);

  const now = programmes.find(isOn);
  useEffect(() => {
    if (!playback) return;
    return followMediaKeys(channel, now, {
      play: () => video.current?.paused && playback.togglePause(),
      pause: () => video.current?.paused || playback.togglePause(),
      zap,
      seek: (seconds) => playback.seekBy(seconds),
    });
  }, [playback, channel, now, zap]);

  const isPlaying = state?.phase === "playing";
  const isScreenWanted = isPlaying && !state?.isRadio;
  useEffect(() => (isScreenWanted ? keepScreenOn() : undefined), [isScreenWanted]);

  useEffect(() => {
    const follow = () => setFullscreen(document.fullscreenElement === root.current);
    document.addEventListener("fullscreenchange", follow);
    return () => document.removeEventListener("fullscreenchange", follow);
  }, []);

  const fill = useCallback(() => {
    if (root.current && video.current) void toggleFullscreen(root.current, video.current);
  }, []);

  const togglePip = useCallback(() => {
    if (video.current) void togglePictureInPicture(video.current);
  }, []);
  useKeyboard(root, playback, {
    zap,
    typeNumber,
    commitNumber,
    say,
    wake,
    fill,
    toggleSignal,
    togglePip,
  });

  const swipe = useSwipe(root, zap);
  const offers = useMemo(
    () => ({
      pip: video.current ? offersPictureInPicture(video.current) : false,
      airplay: typeof video.current?.webkitShowPlaybackTargetPicker === "function",
    }),
    // Known once the video element is there.
    [playback],
  );

  const end = async (user: TunerUser) => {
    try {
      await change("DELETE", `/streams/${encodeURIComponent(user.streamId ?? "")}`);
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
    playback?.retry();
  };
  const phase = state?.phase ?? "opening";
  const areControlsShown = isAwake || isSignalOpen || !isRunning(phase);

  return (
    <section
      ref={root}
      class={`player ${areControlsShown ? "player-awake" : ""}`}
      aria-label={`Player: ${channel.name}`}
      data-testid="player"
      data-phase={phase}
      data-channel={channel.id}
      data-first-picture-ms={state?.firstPictureMs}
      data-deinterlace={state?.deinterlace}
      data-live={live && phase !== "trouble"}
      onPointerMove={wake}
      onFocusCapture={wake}
      {...swipe}
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: buttons and keys do the same */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: space and f do the same */}
      <div
        class="stage"
        onDblClick={fill}
        onClick={(event) => {
          // A tap shows the controls; a click of a mouse pauses, as everywhere.
          if ((event as unknown as PointerEvent).pointerType === "mouse") playback?.togglePause();
        }}
      >
        {/* biome-ignore lint/a11y/useMediaCaption: subtitles are drawn over the picture */}
        <video ref={video} playsInline data-testid="video" tabIndex={-1} />
        <canvas ref={fields} class="fields" hidden data-testid="fields" />
        <canvas ref={still} class="still" hidden data-testid="still" />
        {state?.isRadio && <RadioCard channel={channel} programme={now} />}
        <canvas ref={images} class="images" data-testid="subtitle-images" />
        <div ref={cues} class="cues" data-testid="subtitles" />
      </div>
      {(phase === "opening" || phase === "waiting") && (
        <div class="spinner" role="status" aria-label="Loading" data-testid="loading" />
      )}
      <header class="overlay overlay-top">
        <p class="title">
          <b>
            {channel.number} {channel.name}
          </b>
          {now && <span>{now.title}</span>}
        </p>
      </header>
      {state?.isMutedByBrowser && state.isMuted && phase !== "trouble" && (
        <button
          type="button"
          class="unmute"
          data-testid="unmute"
          onClick={() => playback?.toggleMute()}
        >
          <Icon name="mute" /> Turn the sound on
        </button>
      )}
      {entry && (
        <output class="number-entry" data-testid="number-entry">
          <b>{entry.digits}</b> {entry.match?.name ?? "…"}
        </output>
      )}
      <p class={`note ${note ? "" : "note-empty"}`} role="status" data-testid="note">
        {note}
      </p>
      {isSignalOpen && playback && (
        <SignalPanel
          playback={playback}
          onDeinterlace={(isWanted) => playback.setDeinterlace(isWanted)}
          onClose={closeSignal}
        />
      )}
      {state?.trouble && phase === "trouble" && playback && (
        <TroublePanel
          channel={channel}
          trouble={state.trouble}
          onRetry={() => playback.retry()}
          onEnd={end}
        />
      )}
      {playback && state && video.current && (
        <footer class="overlay overlay-bottom">
          <SeekBar
            playback={playback}
            video={video.current}
            programmes={programmes}
            isVisible={areControlsShown}
          />
          <Controls
            state={state}
            isLive={live && phase !== "trouble"}
            isSignalOpen={isSignalOpen}
            isFullscreen={isFullscreen}
            offers={offers}
            onToggle={() => playback.togglePause()}
            onSeek={(seconds) => playback.seekBy(seconds)}
            onLive={() => playback.goLive()}
            onZap={zap}
            onMute={() => playback.toggleMute()}
            onVolume={(volume) => playback.setVolume(volume)}
            onSound={(value) => playback.tracks.chooseSound(value)}
            onSubtitle={(value) => playback.tracks.chooseSubtitle(value)}
            onSignal={toggleSignal}
            onPip={togglePip}
            onAirplay={() => video.current?.webkitShowPlaybackTargetPicker?.()}
            onFullscreen={fill}
          />
        </footer>
      )}
    </section>
  );
}

/** Return the state of this playlist; reports about the previous one are ignored. */
function stateOf(reported: State | undefined, url: string): State | undefined {
  if (reported === undefined || reported.url === url) return reported;
  return { ...reported, phase: "opening", trouble: undefined, firstPictureMs: undefined };
}

function RadioCard({ channel, programme }: { channel: Channel; programme: Programme | undefined }) {
  return (
    <div class="radio">
      {channel.logo_url && <img src={relative(channel.logo_url)} alt="" />}
      <b>{channel.name}</b>
      {programme && <span>{programme.title}</span>}
    </div>
  );
}
