/** Signal panel: what arrives, and how it is played. */
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { Playback } from "./playback";
import type { DeinterlaceState } from "./state";

const TICK_MS = 1000;

const FIELDS: Record<DeinterlaceState, string> = {
  "not-needed": "not needed",
  off: "off",
  on: "on",
  "too-slow": "off: this device is too slow",
  unavailable: "off: this browser lacks WebGL 2",
};

const ORDERS = {
  "top-first": "top field first",
  "bottom-first": "bottom field first",
  progressive: "progressive",
};

function seconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value.toFixed(1)} s`;
}

interface SignalPanelProps {
  playback: Playback;
  onDeinterlace: (isWanted: boolean) => void;
  /** Called by Escape. */
  onClose: () => void;
}

/** Elements that Escape leaves before it closes the panel. */
const NEARER = "dialog, select, input:not([type=range]):not([type=checkbox])";

export function SignalPanel({ playback, onDeinterlace, onClose }: SignalPanelProps) {
  // Listens exactly while the panel is there: the next Escape is for the page.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      if (event.target instanceof Element && event.target.closest(NEARER)) return;
      event.preventDefault();
      onClose();
    };
    // Before the page, where Escape leaves the channel.
    addEventListener("keydown", onKey, { capture: true });
    return () => removeEventListener("keydown", onKey, { capture: true });
  }, [onClose]);
  const [figures, setFigures] = useState(() => playback.figures());
  useEffect(() => {
    const look = () => document.hidden || setFigures(playback.figures());
    const timer = setInterval(look, TICK_MS);
    return () => clearInterval(timer);
  }, [playback]);
  const { state } = playback;
  const { width, height, frameRate, bitrate, codecs, buffer, delay, dropped, fields } = figures;
  const isInterlaced = state.deinterlace !== "not-needed";
  const rate = frameRate ? ` at ${Number(frameRate.toFixed(2))}/s` : "";
  const rows: [string, string | undefined][] = [
    ["Picture", width && `${width} × ${height}${isInterlaced ? ", interlaced" : ""}${rate}`],
    ["Codecs", codecs],
    ["Bit rate", bitrate && `${(bitrate / 1e6).toFixed(1)} Mbit/s`],
    ["Buffer", seconds(buffer)],
    ["Behind live", seconds(delay)],
    ["Dropped frames", dropped === undefined ? undefined : String(dropped)],
    ["First picture after", state.firstPictureMs && `${state.firstPictureMs} ms`],
    ["De-interlacing", isInterlaced ? FIELDS[state.deinterlace] : undefined],
    ["Fields", fields && ORDERS[fields.order]],
    [
      "De-interlaced frames",
      fields?.rate && `${fields.rate.toFixed(0)}/s, ${fields.costMs?.toFixed(1) ?? "?"} ms a frame`,
    ],
  ].map(([name, value]) => [name as string, value ? String(value) : undefined]);
  return (
    <section class="signal-panel" aria-label="Signal" data-testid="signal-panel">
      <dl>
        {rows.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      {isInterlaced && (
        <label class="signal-switch">
          <input
            type="checkbox"
            data-testid="deinterlace"
            checked={state.deinterlace === "on"}
            onChange={(event) => onDeinterlace(event.currentTarget.checked)}
          />
          De-interlace the picture
        </label>
      )}
    </section>
  );
}
