// Runs before the page is drawn, so that it does not flash in the colours of the system.
import { applyTheme, keptTheme } from "./theme";

applyTheme(keptTheme());
