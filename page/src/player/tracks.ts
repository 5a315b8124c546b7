/** Sound tracks and subtitles of the channel that plays: the menus, and what is chosen. */
import type { Engine, SoundTrack } from "./engine";
import { ImageSubtitles } from "./image-subtitles";
import { trackLabels } from "./language";
import type { KeptPreferences } from "./preferences";
import type { Choice, Elements, StateStore } from "./state";
import { TextSubtitles } from "./text-subtitles";

export class Tracks {
  readonly #elements: Elements;
  readonly #preferences: KeptPreferences;
  readonly #store: StateStore;
  #engine: Engine | undefined;
  /** Draws the chosen subtitles. */
  #renderer: { close(): void } | undefined;

  constructor(elements: Elements, preferences: KeptPreferences, store: StateStore) {
    this.#elements = elements;
    this.#preferences = preferences;
    this.#store = store;
  }

  /** Take over the engine's tracks, and choose those that the user prefers. */
  update(engine: Engine): void {
    this.#engine = engine;
    const wanted = this.#preferredSound(engine.sounds);
    if (
      wanted !== undefined &&
      engine.sound() !== wanted &&
      this.#store.state.sound === undefined
    ) {
      engine.setSound(wanted);
    }
    const current = engine.sound();
    const subtitles = subtitleChoices(engine);
    this.#store.set({
      isRadio: engine.isRadio,
      sounds: soundChoices(engine.sounds),
      sound: current === undefined ? undefined : String(current),
      subtitles,
    });
    const { subtitle } = this.#store.state;
    const preferred = subtitles.find(
      ({ language }) => language === this.#preferences.current.subtitles,
    );
    if (subtitle === "off" && preferred && this.#preferences.current.subtitles !== null) {
      this.#showSubtitle(preferred.value);
    }
  }

  #preferredSound(sounds: readonly SoundTrack[]): number | undefined {
    const { sound: language, isDescription } = this.#preferences.current;
    if (language === null) return undefined;
    const spoken = sounds.filter((track) => track.language === language);
    return (spoken.find((track) => track.isDescription === isDescription) ?? spoken[0])?.id;
  }

  chooseSound(value: string): void {
    const track = this.#engine?.sounds.find(({ id }) => String(id) === value);
    if (track === undefined) return;
    this.#preferences.remember({ sound: track.language, isDescription: track.isDescription });
    this.#engine?.setSound(track.id);
    this.#store.set({ sound: value });
  }

  chooseSubtitle(value: string): void {
    const choice = this.#store.state.subtitles.find((each) => each.value === value);
    this.#preferences.remember({ subtitles: choice?.language ?? null });
    this.#showSubtitle(choice === undefined ? "off" : value);
  }

  #showSubtitle(value: string): void {
    const engine = this.#engine;
    if (engine === undefined) return;
    this.#renderer?.close();
    this.#renderer = undefined;
    const { video, cues, images } = this.#elements;
    const [kind, name = ""] = value.split(":");
    engine.setText(kind === "text" ? Number(name) : undefined);
    engine.holdBack(value !== "off");
    if (kind === "text") {
      this.#renderer = new TextSubtitles(video, cues, (time) => engine.cuesAt(time));
    } else if (kind === "images") {
      this.#renderer = new ImageSubtitles(video, images, engine, name);
    }
    this.#store.set({ subtitle: value });
  }

  /** Choose the next sound, and return its label. */
  nextSound(): string | undefined {
    const { sounds, sound } = this.#store.state;
    const next = sounds[(sounds.findIndex(({ value }) => value === sound) + 1) % sounds.length];
    if (next) this.chooseSound(next.value);
    return next?.label;
  }

  /** Choose the next subtitles, or none after the last ones. Return their label. */
  nextSubtitle(): string | undefined {
    const { subtitles, subtitle } = this.#store.state;
    const next = subtitles[subtitles.findIndex(({ value }) => value === subtitle) + 1];
    this.chooseSubtitle(next?.value ?? "off");
    return next?.label;
  }

  /** Let go of the engine. */
  close(): void {
    this.#renderer?.close();
    this.#renderer = undefined;
    this.#engine = undefined;
  }
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
  // Subtitles that are sent in both forms would have the same label otherwise.
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
