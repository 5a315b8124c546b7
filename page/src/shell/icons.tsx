/** Icons of the shell, drawn for it. */
const PATHS = {
  channels: "M4 5h16v11H4zM8 20h8",
  guide: "M4 5h16v15H4zM4 10h16M10 10v10",
  status: "M4 12h4l2.5-6 4 12L17 12h3",
  addresses:
    "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.5 4.5",
  close: "M6 6l12 12M18 6L6 18",
  system: "M12 4a8 8 0 0 0 0 16z M12 4a8 8 0 0 1 0 16",
  light:
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M5 19l1.5-1.5M17.5 6.5L19 5",
  dark: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  play: "M7 4.5v15l12-7.5z",
  refresh: "M20 5v5h-5M4 19v-5h5M5.5 9a7 7 0 0 1 12-2.5L20 10M4 14l2.5 3.5A7 7 0 0 0 18.5 15",
  radio: "M4 9h16v11H4zM7 9l9-5M15 14.5a1.5 1.5 0 1 0 .01 0M7 13h4M7 16.5h4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
