/** The row of buttons below the picture. */
import { Icon } from "./icons";
import type { Choice, State } from "./state";

interface ButtonProps {
  icon: Parameters<typeof Icon>[0]["name"];
  label: string;
  shortcut?: string;
  testId?: string;
  isPressed?: boolean;
  class?: string;
  onClick: () => void;
}

/** Give the keys back to the player, unless it was a key that pressed the button. */
function release(event: MouseEvent & { currentTarget: HTMLElement }): void {
  if (event.detail > 0) event.currentTarget.blur();
}

export function Button({
  icon,
  label,
  shortcut,
  testId,
  isPressed,
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      class={`control ${rest.class ?? ""}`}
      aria-label={label}
      aria-pressed={isPressed}
      aria-keyshortcuts={shortcut}
      title={shortcut ? `${label} (${shortcut})` : label}
      data-testid={testId}
      onClick={(event) => {
        onClick();
        release(event);
      }}
    >
      <Icon name={icon} />
    </button>
  );
}

interface PickProps {
  icon: Parameters<typeof Icon>[0]["name"];
  label: string;
  testId: string;
  choices: readonly Choice[];
  value: string;
  onChoose: (value: string) => void;
}

/** A menu of tracks: the browser's own, which every remote control, phone and reader can use. */
function Pick({ icon, label, testId, choices, value, onChoose }: PickProps) {
  const chosen = choices.find((each) => each.value === value);
  return (
    <label class="pick" title={label}>
      <Icon name={icon} />
      <span class="pick-chosen" aria-hidden="true">
        {chosen?.label ?? ""}
      </span>
      <select
        aria-label={label}
        data-testid={testId}
        value={value}
        onChange={(event) => {
          onChoose(event.currentTarget.value);
          // The arrow keys are the player's again.
          event.currentTarget.blur();
        }}
      >
        {choices.map((each) => (
          <option key={each.value} value={each.value} selected={each.value === value}>
            {each.label}
          </option>
        ))}
      </select>
    </label>
  );
}

export interface ControlsProps {
  state: State;
  isLive: boolean;
  isSignalOpen: boolean;
  isFullscreen: boolean;
  offers: { pip: boolean; airplay: boolean };
  onToggle: () => void;
  onSeek: (seconds: number) => void;
  onLive: () => void;
  onZap: (steps: number) => void;
  onMute: () => void;
  onVolume: (volume: number) => void;
  onSound: (value: string) => void;
  onSubtitle: (value: string) => void;
  onSignal: () => void;
  onPip: () => void;
  onAirplay: () => void;
  onFullscreen: () => void;
}

const NO_SUBTITLES: Choice = { value: "off", label: "Off", language: null };

export function Controls(props: ControlsProps) {
  const { state } = props;
  const isPaused = state.phase === "paused" || state.phase === "trouble";
  const isMuted = state.isMuted || state.volume === 0;
  return (
    <div class="controls" role="toolbar" aria-label="Player">
      <Button
        icon={isPaused ? "play" : "pause"}
        label={isPaused ? "Play" : "Pause"}
        shortcut="Space"
        testId="pause"
        onClick={props.onToggle}
      />
      <Button
        icon="back"
        label="Back 10 seconds"
        shortcut="ArrowLeft"
        testId="rewind"
        onClick={() => props.onSeek(-10)}
      />
      <Button
        icon="forward"
        label="Forward 10 seconds"
        shortcut="ArrowRight"
        testId="forward"
        class="wide-only"
        onClick={() => props.onSeek(10)}
      />
      <button
        type="button"
        class={`live ${props.isLive ? "live-on" : ""}`}
        data-testid="live"
        aria-label={props.isLive ? "Live" : "Go to live"}
        aria-pressed={props.isLive}
        aria-keyshortcuts="l"
        onClick={(event) => {
          props.onLive();
          release(event);
        }}
      >
        Live
      </button>
      <Button
        icon="down"
        label="Previous channel"
        shortcut="ArrowDown"
        testId="zap-down"
        class="roomy-only"
        onClick={() => props.onZap(-1)}
      />
      <Button
        icon="up"
        label="Next channel"
        shortcut="ArrowUp"
        testId="zap-up"
        class="roomy-only"
        onClick={() => props.onZap(1)}
      />
      <span class="gap" />
      <Button
        icon={isMuted ? "mute" : "loud"}
        label={isMuted ? "Unmute" : "Mute"}
        shortcut="m"
        testId="mute"
        onClick={props.onMute}
      />
      <input
        class="volume wide-only"
        type="range"
        min="0"
        max="1"
        step="0.05"
        aria-label="Volume"
        data-testid="volume"
        value={isMuted ? 0 : state.volume}
        onInput={(event) => props.onVolume(event.currentTarget.valueAsNumber)}
      />
      {state.sounds.length > 1 && (
        <Pick
          icon="sound"
          label="Sound"
          testId="sound-menu"
          choices={state.sounds}
          value={state.sound ?? ""}
          onChoose={props.onSound}
        />
      )}
      {state.subtitles.length > 0 && (
        <Pick
          icon="subtitles"
          label="Subtitles"
          testId="subtitle-menu"
          choices={[NO_SUBTITLES, ...state.subtitles]}
          value={state.subtitle}
          onChoose={props.onSubtitle}
        />
      )}
      <Button
        icon="signal"
        label="Signal"
        shortcut="i"
        testId="signal"
        isPressed={props.isSignalOpen}
        onClick={props.onSignal}
      />
      {props.offers.airplay && (
        <Button icon="airplay" label="AirPlay" testId="airplay" onClick={props.onAirplay} />
      )}
      {props.offers.pip && !state.isRadio && (
        <Button
          icon="pip"
          label="Picture in picture"
          shortcut="p"
          testId="pip"
          class="wide-only"
          onClick={props.onPip}
        />
      )}
      <Button
        icon={props.isFullscreen ? "window" : "fullscreen"}
        label={props.isFullscreen ? "Leave full screen" : "Full screen"}
        shortcut="f"
        testId="fullscreen"
        onClick={props.onFullscreen}
      />
    </div>
  );
}
