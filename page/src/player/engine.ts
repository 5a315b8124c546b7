/** What plays one opening of a channel in a video element. */
import type { ImageRendition } from "./image-cues";
import type { Window } from "./timeline";
import type { Trouble } from "./trouble";

export interface SoundTrack {
  id: number;
  language: string | null;
  isDescription: boolean;
  channels: number | undefined;
}

export interface TextTrackChoice {
  id: number;
  language: string | null;
  isHearingImpaired: boolean;
}

/** Figures for the signal panel; undefined where the browser does not tell. */
export interface Figures {
  width: number | undefined;
  height: number | undefined;
  frameRate: number | undefined;
  codecs: string | undefined;
  /** Of what was loaded lately, in bit/s. */
  bitrate: number | undefined;
  /** Ahead of the present picture, in seconds. */
  buffer: number | undefined;
  /** Behind the newest part of the playlist, in seconds. */
  delay: number | undefined;
}

export const NO_FIGURES: Figures = {
  width: undefined,
  height: undefined,
  frameRate: undefined,
  codecs: undefined,
  bitrate: undefined,
  buffer: undefined,
  delay: undefined,
};

export interface EngineEvents {
  /** Tracks are known, or have changed. */
  onTracks(): void;
  onTrouble(trouble: Trouble): void;
}

export interface Engine {
  readonly sounds: readonly SoundTrack[];
  /** Subtitles as text. */
  readonly texts: readonly TextTrackChoice[];
  /** Subtitles as images. */
  readonly images: readonly ImageRendition[];
  readonly isInterlaced: boolean;
  /** Lines of the coded picture, as the playlist has them. */
  readonly codedHeight: number | undefined;
  /** True if the channel has sound only. */
  readonly isRadio: boolean;

  /** Return the present sound's id. */
  sound(): number | undefined;
  setSound(id: number): void;
  /** Choose subtitles as text; undefined for none. */
  setText(id: number | undefined): void;
  /** Return the cues of the chosen subtitles that are due at a media time. */
  cuesAt(time: number): VTTCue[];
  window(): Window | undefined;
  figures(): Figures;
  /** Return the URL of a file of the run; undefined while there is none. */
  renditionUrl(path: string): string | undefined;
  /** Return a media time as 90 kHz decode time; undefined where it is not known yet. */
  to90k(time: number): number | undefined;
  /**
   * Stay further behind the live edge, or as near as it goes. Subtitles lie in files of whole
   * segments: nearer than a segment they would come too late.
   */
  holdBack(isFar: boolean): void;
  /** Return the numbers of the whole segments at `time` and right behind. */
  segmentsAt(time: number): number[];
  destroy(): void;
}

/** Return how many seconds are buffered without a hole ahead of the present picture. */
export function bufferedAhead(video: HTMLVideoElement): number {
  const { buffered, currentTime } = video;
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) <= currentTime + 0.1 && currentTime <= buffered.end(index)) {
      return buffered.end(index) - currentTime;
    }
  }
  return 0;
}
