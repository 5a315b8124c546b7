/** Icons of the player: paths on a grid of 24. */

const PATHS = {
  play: "M8 5v14l11-7z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  back: "M11 6 3 12l8 6zM20 6l-8 6 8 6z",
  forward: "M13 6l8 6-8 6zM4 6l8 6-8 6z",
  loud: "M4 9v6h4l5 4V5L8 9zM16 8a5 5 0 0 1 0 8M18.5 5.5a9 9 0 0 1 0 13",
  mute: "M4 9v6h4l5 4V5L8 9zM16 9l6 6M22 9l-6 6",
  sound: "M9 18a3 3 0 1 1-2-2.8V5l12-2v12.2M19 15.5a3 3 0 1 1-3-2.9",
  subtitles: "M3 5h18v14H3zM6 11h5M13 11h5M6 15h8M16 15h2",
  signal: "M4 20v-4M9 20v-8M14 20V8M19 20V4",
  pip: "M3 5h18v14H3zM12 12h7v5h-7z",
  airplay: "M5 17H3V5h18v12h-2M12 15l5 6H7z",
  fullscreen: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  window: "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
  up: "M6 15l6-6 6 6",
  down: "M6 9l6 6 6-6",
} as const;

const FILLED = new Set<string>(["play", "pause", "back", "forward"]);

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg
      class={FILLED.has(name) ? "icon icon-filled" : "icon"}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
