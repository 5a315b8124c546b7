/** Preferences of the player, kept in this browser. */

export interface Preferences {
  /** From 0 to 1. */
  volume: number;
  isMuted: boolean;
  /** Language of the sound that was chosen last; null follows the broadcast. */
  sound: string | null;
  /** Whether the sound that was chosen last describes the picture. */
  isDescription: boolean;
  /** Language of the subtitles that were chosen last; null for none. */
  subtitles: string | null;
  isDeinterlaced: boolean;
}

const KEY = "xg2g.player";

export const DEFAULTS: Preferences = {
  volume: 1,
  isMuted: false,
  sound: null,
  isDescription: false,
  subtitles: null,
  isDeinterlaced: true,
};

/** Return stored preferences. Those that are missing or have another type get their default. */
export function parsePreferences(text: string | null): Preferences {
  let stored: unknown;
  try {
    stored = JSON.parse(text ?? "{}");
  } catch {
    stored = {};
  }
  const from = (typeof stored === "object" && stored !== null ? stored : {}) as Record<
    string,
    unknown
  >;
  const flag = (value: unknown, otherwise: boolean) =>
    typeof value === "boolean" ? value : otherwise;
  const language = (value: unknown) => (typeof value === "string" ? value : null);
  const volume = from["volume"];
  return {
    volume: typeof volume === "number" && volume >= 0 && volume <= 1 ? volume : DEFAULTS.volume,
    isMuted: flag(from["isMuted"], DEFAULTS.isMuted),
    sound: language(from["sound"]),
    isDescription: flag(from["isDescription"], DEFAULTS.isDescription),
    subtitles: language(from["subtitles"]),
    isDeinterlaced: flag(from["isDeinterlaced"], DEFAULTS.isDeinterlaced),
  };
}

/** The preferences, stored whenever one changes. */
export class KeptPreferences {
  #current: Preferences = load();

  get current(): Preferences {
    return this.#current;
  }

  remember(change: Partial<Preferences>): void {
    this.#current = { ...this.#current, ...change };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#current));
    } catch {
      // Private windows and full disks: the choice holds until the page is left.
    }
  }
}

function load(): Preferences {
  try {
    return parsePreferences(localStorage.getItem(KEY));
  } catch {
    return { ...DEFAULTS };
  }
}
