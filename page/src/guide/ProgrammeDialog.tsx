import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError, read } from "../api/client";
import type { Channel, Guide, Programme } from "../api/types";
import { Logo } from "../channels/Logo";
import { go } from "../router";
import { Icon } from "../shell/icons";
import { clock, duration, longDay, progress } from "../time";

interface ProgrammeDialogProps {
  /** The programme, perhaps without its description. */
  programme: Programme;
  channel: Channel | undefined;
  onClose: () => void;
}

/** All about a programme, and the way to its channel. */
export function ProgrammeDialog({ programme, channel, onClose }: ProgrammeDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [whole, setWhole] = useState<Programme | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  useLayoutEffect(() => {
    const element = dialog.current;
    // Focus goes back to where it was when a modal dialog closes, while it is in the document.
    if (element && !element.open) element.showModal();
    return () => element?.close();
  }, []);
  useEffect(() => {
    const abort = new AbortController();
    const from = new Date(programme.begin).getTime();
    const values = {
      channel: programme.channel,
      from: new Date(from).toISOString(),
      to: new Date(from + 1000).toISOString(),
    };
    read<Guide>("/guide", values, abort.signal)
      .then((guide) => setWhole(guide.programmes.find((each) => each.begin === programme.begin)))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) setTrouble(error instanceof ApiError ? error.message : "");
      });
    return () => abort.abort();
  }, [programme]);
  const now = Date.now();
  const isOn = Date.parse(programme.begin) <= now && now < Date.parse(programme.end);
  const about = whole ?? programme;
  const length = Date.parse(programme.end) - Date.parse(programme.begin);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      ref={dialog}
      class="programme"
      aria-labelledby="programme-title"
      data-testid="programme"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div class="programme-body">
        <header class="programme-head">
          {channel && <Logo channel={channel} />}
          <p class="dim">
            {channel && `${channel.number} ${channel.name}`}
            <br />
            {longDay(programme.begin)}, {clock(programme.begin)} to {clock(programme.end)} (
            {duration(length)})
          </p>
          <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        <h2 id="programme-title">{programme.title}</h2>
        {about.subtitle && <p class="programme-subtitle">{about.subtitle}</p>}
        {isOn && (
          <span class="bar" aria-hidden="true">
            <span style={{ width: `${100 * progress(programme.begin, programme.end, now)}%` }} />
          </span>
        )}
        {(about.episode || about.categories.length > 0) && (
          <p class="tags">
            {[about.episode, ...about.categories].filter(Boolean).map((each) => (
              <span key={each} class="tag">
                {each}
              </span>
            ))}
          </p>
        )}
        <p class="programme-text">{about.description}</p>
        {trouble !== undefined && (
          <p role="alert">{trouble || "The description could not be loaded."}</p>
        )}
        {channel && (
          <button
            type="button"
            class="button primary"
            data-testid="watch"
            onClick={() => {
              onClose();
              go({ at: "channel", id: channel.id });
            }}
          >
            <Icon name="play" /> {isOn ? "Watch" : `Go to ${channel.name}`}
          </button>
        )}
      </div>
    </dialog>
  );
}
