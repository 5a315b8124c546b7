/** The lineup as the page shows it: bouquets, filters, and current programmes. */
import type { Channel, Now, Shown } from "../api/types";

/** What a list shows: everything, the radio, or one bouquet. */
export type Choice = { kind: "all" } | { kind: "radio" } | { kind: "bouquet"; name: string };

/** Return the names of all bouquets, in the order in which the channels name them. */
export function bouquets(channels: readonly Channel[]): string[] {
  return [...new Set(channels.flatMap((channel) => channel.bouquets))];
}

/** Return the channels of a choice. */
export function chosen(channels: readonly Channel[], choice: Choice): Channel[] {
  return channels.filter((channel) => {
    if (choice.kind === "radio") return channel.radio;
    return choice.kind === "all" || channel.bouquets.includes(choice.name);
  });
}

/** Return the channels whose name has all words of the text, or whose number begins with it. */
export function matching(channels: readonly Channel[], text: string): Channel[] {
  const words = plain(text).split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...channels];
  const number = /^\d+$/.test(text.trim()) ? String(Number(text.trim())) : undefined;
  return channels.filter((channel) => {
    if (number !== undefined && String(channel.number).startsWith(number)) return true;
    const name = plain(channel.name);
    return words.every((word) => name.includes(word));
  });
}

/** Return a text without case and accents: who looks for "arte" or "ard-alpha" types as they like. */
export function plain(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .replace(/ß/g, "ss")
    .toLowerCase();
}

/** Return what each channel shows, by its id. */
export function shownById(now: Now | undefined): ReadonlyMap<string, Shown> {
  return new Map(now?.channels.map((shown) => [shown.channel, shown]));
}

/** Return the programme at a time. In an older answer that may be the one listed as next. */
export function onAt(shown: Shown | undefined, time: number) {
  const { now, next } = shown ?? { now: null, next: null };
  if (next !== null && Date.parse(next.begin) <= time) {
    return { now: time < Date.parse(next.end) ? next : null, next: null };
  }
  return { now: now !== null && time < Date.parse(now.end) ? now : null, next };
}

/** Return the choice as it is kept, and back. */
export function choiceText(choice: Choice): string {
  return choice.kind === "bouquet" ? `=${choice.name}` : choice.kind;
}

export function choiceOf(text: string | null): Choice {
  if (text?.startsWith("=")) return { kind: "bouquet", name: text.slice(1) };
  return { kind: text === "radio" ? "radio" : "all" };
}
