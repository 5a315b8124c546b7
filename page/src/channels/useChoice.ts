/** The bouquet that is chosen. */
import { useCallback, useState } from "preact/hooks";
import type { Channel } from "../api/types";
import { type Choice, choiceOf, choiceText } from "./lineup";

const CHOICE_KEY = "bouquet";

/** Return the chosen bouquet, kept for the next visit. If it no longer exists, all are shown. */
export function useChoice(channels: readonly Channel[]): [Choice, (choice: Choice) => void] {
  const [choice, setChoice] = useState(() => choiceOf(kept()));
  const choose = useCallback((next: Choice) => {
    setChoice(next);
    try {
      localStorage.setItem(CHOICE_KEY, choiceText(next));
    } catch {
      // The choice holds until the page is left.
    }
  }, []);
  const isThere =
    choice.kind !== "bouquet" || channels.some((each) => each.bouquets.includes(choice.name));
  return [isThere ? choice : ALL, choose];
}

const ALL: Choice = { kind: "all" };

function kept(): string | null {
  try {
    return localStorage.getItem(CHOICE_KEY);
  } catch {
    return null;
  }
}
