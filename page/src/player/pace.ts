/** How fast to play near the live position: a little slower to gain room, a little faster to catch up. */

/** Buffer below which playback slows down, and above which it may be fast, in seconds. */
const LITTLE_S = 0.45;
const ENOUGH_S = 1;
/** How far behind its target playback may be without catching up, in seconds. */
const TOLERANCE_S = 0.35;

const SLOW = 0.94;
const FAST = 1.05;

export interface Pace {
  /** Seconds ahead of the present picture that are there. */
  buffer: number;
  /** Seconds behind the live position; negative ahead of it. */
  behind: number;
  /** Seconds behind the live position from which on playback counts as rewound. */
  rewound: number;
  isLive: boolean;
}

/** Return the playback rate. Voices stay natural at all of them. */
export function playbackRate({ buffer, behind, rewound, isLive }: Pace): number {
  if (!isLive || behind > rewound) return 1;
  if (buffer < LITTLE_S) return SLOW;
  return behind > TOLERANCE_S && buffer > ENOUGH_S ? FAST : 1;
}
