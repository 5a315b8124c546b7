/** Keys that mean the same everywhere in the page. */
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Channel } from "../api/types";
import { COMPLETE_MS, ENTRY_MS, type Entry, typeDigit } from "../player/number-entry";
import { isDirection, moveFocus } from "./spatial";

interface Keys {
  channels: readonly Channel[];
  /** The player takes digits. */
  hasPlayer: boolean;
  /** It is the page's own matter: it takes arrows, too, while nothing has the focus. */
  isWatching: boolean;
  field: RefObject<HTMLInputElement | null>;
  isSearching: boolean;
  onTune: (channel: Channel) => void;
  onEndSearch: () => void;
  /** One step back, by Escape. */
  onLeave: () => void;
}

/** Listen to them; return the number that is being typed. */
export function useKeys(keys: Keys): Entry<Channel> | undefined {
  const [entry, setEntry] = useState<Entry<Channel> | undefined>(undefined);
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    let typed: Entry<Channel> | undefined;
    let timer = 0;
    const commit = () => {
      window.clearTimeout(timer);
      const { match } = typed ?? {};
      typed = undefined;
      setEntry(undefined);
      if (match) latest.current.onTune(match);
    };
    const type = (digit: string) => {
      typed = typeDigit(latest.current.channels, typed?.digits ?? "", digit);
      setEntry(typed);
      window.clearTimeout(timer);
      timer = window.setTimeout(commit, typed.isComplete ? COMPLETE_MS : ENTRY_MS);
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
      const { hasPlayer, isWatching, field, isSearching, onEndSearch, onLeave } = latest.current;
      const target = event.target instanceof HTMLElement ? event.target : document.body;
      const isInField = target.matches("input, textarea, select");
      if (event.key === "Escape") {
        // A dialog and a full screen close by themselves.
        if (document.querySelector("dialog[open]") || document.fullscreenElement) return;
        if (isSearching) onEndSearch();
        else if (!isInField) onLeave();
        if (isInField) target.blur();
      } else if (event.key === "/" && !isInField) {
        field.current?.focus();
        field.current?.select();
      } else if (isDirection(event.key)) {
        const isAlong = event.key === "ArrowLeft" || event.key === "ArrowRight";
        if ((isInField && isAlong) || target.closest(".player")) return;
        if (target === document.body || target.id === "main") {
          if (isWatching) return;
          // A remote control has no other way in.
          const first =
            document.querySelector<HTMLElement>(".main .row-link[aria-current]") ??
            document.querySelector<HTMLElement>(".main .row-link, .main .grid") ??
            document.querySelector<HTMLElement>(".main a[href], .main button, .main summary") ??
            document.querySelector<HTMLElement>(".places [aria-current]") ??
            field.current;
          first?.focus();
        } else if (!moveFocus(event.key)) {
          return;
        }
      } else if (/^[0-9]$/.test(event.key) && !isInField && !hasPlayer) {
        type(event.key);
      } else if (event.key === "Enter" && typed) {
        commit();
      } else {
        return;
      }
      event.preventDefault();
    };
    // Before the player, which listens at the same place and leaves what was taken.
    addEventListener("keydown", onKey);
    return () => {
      window.clearTimeout(timer);
      removeEventListener("keydown", onKey);
    };
  }, []);
  return entry;
}
