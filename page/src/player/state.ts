/** What the player shows: the state of its playback, and the elements it plays in. */
import type { Refusal } from "./deinterlacer";
import type { Explanation, Trouble } from "./trouble";

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

/** Entry of a menu of tracks. */
export interface Choice {
  /** Sound: the track's id. Subtitles: `off`, `text:ID` or `images:RENDITION`. */
  value: string;
  label: string;
  language: string | null;
}

export type DeinterlaceState = "not-needed" | "off" | "on" | Refusal;

export interface State {
  /** URL of the multivariant playlist that plays. */
  url: string | undefined;
  phase: "idle" | "opening" | "playing" | "paused" | "waiting" | "trouble";
  trouble: (Explanation & { kind: Trouble["kind"]; retryAt: number | undefined }) | undefined;
  isMuted: boolean;
  /** Muted because browsers play no sound before the user has touched the page. */
  isMutedByBrowser: boolean;
  volume: number;
  isRadio: boolean;
  sounds: Choice[];
  sound: string | undefined;
  subtitles: Choice[];
  subtitle: string;
  deinterlace: DeinterlaceState;
  /** Time from the start to the first picture, in ms. */
  firstPictureMs: number | undefined;
}

/** State at the moment when a channel is being opened. */
export const OPENING: Omit<State, "url" | "isMuted" | "isMutedByBrowser" | "volume"> = {
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

/** The state, and who hears of its changes. */
export class StateStore {
  #state: State;
  readonly #onChange: (state: State) => void;

  constructor(initial: State, onChange: (state: State) => void) {
    this.#state = initial;
    this.#onChange = onChange;
  }

  get state(): State {
    return this.#state;
  }

  set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    this.#onChange(this.#state);
  }
}
