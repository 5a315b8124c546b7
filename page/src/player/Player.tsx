/** The player of one channel at a time. */
import "./player.css";
import "./controls.css";
import "./messages.css";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError, change } from "../api/client";
import type { Channel } from "../api/types";
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
import { SeekBar } from "./SeekBar";
import { SignalPanel } from "./SignalPanel";
import { Stage } from "./Stage";
import {
  followMediaKeys,
  keepScreenOn,
  offersPictureInPicture,
  toggleFullscreen,
  togglePictureInPicture,
} from "./system";
import { TroublePanel } from "./TroublePanel";
import type { TunerUser } from "./trouble";
import { useKeyboard } from "./useKeyboard";
import { usePlayback } from "./usePlayback";

export interface PlayerProps {
  /** What plays. */
  channel: Channel;
  /** All channels, in the order in which up and down zap. */
  channels: readonly Channel[];
  /** Called when the player itself goes to another channel: by key, number or swipe. */
  onZap: (channel: Channel) => void;
}

export function Player({ channel, channels, onZap }: PlayerProps) {
  const root = useRef<HTMLElement>(null);
  const { refs, playback, state } = usePlayback(channel);
  const { video } = refs;
  const [isSignalOpen, setSignalOpen] = useState(false);
  const closeSignal = useCallback(() => setSignalOpen(false), []);
  const toggleSignal = useCallback(() => setSignalOpen((is) => !is), []);
  const [isFullscreen, setFullscreen] = useState(false);
  const [note, say] = useNote();
  const [isAwake, wake] = useControlsTimer(state?.phase);
  const programmes = useProgrammes(channel);
  const live = useIsLive(playback, video.current, isAwake);

  // A new channel shows the controls.
  useEffect(() => wake(), [playback, channel.id, wake]);

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
      <Stage
        refs={refs}
        radio={state?.isRadio ? channel : undefined}
        programme={now}
        onFill={fill}
        onToggle={() => playback?.togglePause()}
      />
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
