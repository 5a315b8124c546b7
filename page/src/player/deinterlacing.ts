/** Decides whether the picture is de-interlaced: by the stream, the browser and the user. */
import { type DeinterlaceFigures, Deinterlacer } from "./deinterlacer";
import type { Engine } from "./engine";
import type { KeptPreferences } from "./preferences";
import type { Elements, StateStore } from "./state";

export class Deinterlacing {
  readonly #elements: Elements;
  readonly #preferences: KeptPreferences;
  readonly #store: StateStore;
  #running: Deinterlacer | undefined;

  constructor(elements: Elements, preferences: KeptPreferences, store: StateStore) {
    this.#elements = elements;
    this.#preferences = preferences;
    this.#store = store;
  }

  /** Switch de-interlacing on or off, now and for later visits. */
  choose(isWanted: boolean, engine: Engine | undefined): void {
    this.#preferences.remember({ isDeinterlaced: isWanted });
    this.close();
    this.#store.set({ deinterlace: "not-needed" });
    this.startIfWanted(engine);
  }

  /** Begin if the picture is interlaced and the user wants it. */
  startIfWanted(engine: Engine | undefined): void {
    if (engine === undefined || this.#store.state.firstPictureMs === undefined) return;
    if (!engine.isInterlaced || this.#store.state.deinterlace !== "not-needed") return;
    if (!this.#preferences.current.isDeinterlaced) {
      this.#store.set({ deinterlace: "off" });
      return;
    }
    const { video, fields } = this.#elements;
    // A browser that stretches the picture in height has mixed the fields.
    if (engine.codedHeight !== undefined && video.videoHeight !== engine.codedHeight) {
      this.#store.set({ deinterlace: "unavailable" });
      return;
    }
    this.#store.set({ deinterlace: "on" });
    this.#running = new Deinterlacer(video, fields, (refusal) => {
      this.#running = undefined;
      this.#store.set({ deinterlace: refusal });
    });
  }

  /** Return figures for the signal panel; undefined while nothing is de-interlaced. */
  figures(): DeinterlaceFigures | undefined {
    return this.#running?.figures();
  }

  close(): void {
    this.#running?.close();
    this.#running = undefined;
  }
}
