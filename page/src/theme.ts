/** Colours of the page: those of the system, or the ones that were chosen here. */
export type Theme = "system" | "light" | "dark";

const KEY = "theme";

/** Return the choice that was made in this browser. */
export function keptTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    // Storage may be forbidden; the system's colours do.
    return "system";
  }
}

/** Show the page in these colours, and keep the choice. */
export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It holds until the page is left.
  }
}

/** Show the page in these colours. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") {
    delete document.documentElement.dataset["theme"];
  } else {
    document.documentElement.dataset["theme"] = theme;
  }
}
