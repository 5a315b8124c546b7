import type { Ref } from "preact";
import { useState } from "preact/hooks";
import { hashOf, type Place } from "../router";
import { chooseTheme, keptTheme, type Theme } from "../theme";
import { Icon, type IconName } from "./icons";

interface HeaderProps {
  name: string;
  place: Place;
  search: string;
  onSearch: (text: string) => void;
  field: Ref<HTMLInputElement>;
}

const PLACES: readonly { to: Place; icon: IconName; name: string }[] = [
  { to: { at: "channels" }, icon: "channels", name: "Channels" },
  { to: { at: "guide" }, icon: "guide", name: "Guide" },
  { to: { at: "status" }, icon: "status", name: "Status" },
  { to: { at: "addresses" }, icon: "addresses", name: "Players" },
];
const THEMES: readonly Theme[] = ["system", "light", "dark"];
const THEME_NAMES = { system: "as the system", light: "light", dark: "dark" };

/** Top of the page: places, search, and the choice of colours. */
export function Header({ name, place, search, onSearch, field }: HeaderProps) {
  const [theme, setTheme] = useState(keptTheme);
  const nextTheme = () => {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
    chooseTheme(next);
    setTheme(next);
  };
  const at = place.at === "channel" ? "channels" : place.at;
  return (
    <header class="top">
      <a class="brand" href={hashOf({ at: "channels" })} aria-label={`${name}: all channels`}>
        <svg viewBox="0 0 512 512" aria-hidden="true">
          <rect width="512" height="512" rx="104" fill="#1d2b41" />
          <path fill="#fff" d="M112 128v256l188-128z" />
          <path
            fill="none"
            stroke="#3ecf8e"
            stroke-width="32"
            stroke-linecap="round"
            d="M334 212v88M388 152v208M442 232v48"
          />
        </svg>
        <span>{name}</span>
      </a>
      <nav class="places" aria-label="Places">
        {PLACES.map(({ to, icon, name }) => (
          <a
            key={to.at}
            href={hashOf(to)}
            aria-current={to.at === at ? "page" : undefined}
            data-testid={`to-${to.at}`}
          >
            <Icon name={icon} />
            <span>{name}</span>
          </a>
        ))}
      </nav>
      <search class="search">
        <Icon name="search" />
        <input
          ref={field}
          type="search"
          class="field"
          data-testid="search"
          placeholder="Search channels and programmes"
          aria-label="Search channels and programmes"
          aria-keyshortcuts="/"
          value={search}
          onInput={(event) => onSearch(event.currentTarget.value)}
        />
        <kbd>/</kbd>
      </search>
      <button
        type="button"
        class="icon-button"
        data-testid="theme"
        aria-label={`Colours: ${THEME_NAMES[theme]}. Change`}
        title={`Colours: ${THEME_NAMES[theme]}`}
        onClick={nextTheme}
      >
        <Icon name={theme} />
      </button>
    </header>
  );
}
