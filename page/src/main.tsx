import "./styles/theme.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/channels.css";
import "./styles/guide.css";
import "./styles/sheet.css";
import { render } from "preact";
import { App } from "./app";

const root = document.getElementById("app");
if (root) render(<App />, root);
