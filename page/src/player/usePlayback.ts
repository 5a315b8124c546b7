/** The playback of the player's channel, and the elements it plays in. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Channel } from "../api/types";
import { Playback } from "./playback";
import type { Elements, State } from "./state";
import type { WebKitVideo } from "./system";

/** References to the elements; each is null until the player is in the document. */
export interface ElementRefs {
  video: { current: WebKitVideo | null };
  still: { current: HTMLCanvasElement | null };
  fields: { current: HTMLCanvasElement | null };
  images: { current: HTMLCanvasElement | null };
  cues: { current: HTMLDivElement | null };
}

/** Return the elements' references, the playback once they are there, and its state. */
export function usePlayback(channel: Channel): {
  refs: ElementRefs;
  playback: Playback | undefined;
  state: State | undefined;
} {
  const refs: ElementRefs = {
    video: useRef<WebKitVideo>(null),
    still: useRef<HTMLCanvasElement>(null),
    fields: useRef<HTMLCanvasElement>(null),
    images: useRef<HTMLCanvasElement>(null),
    cues: useRef<HTMLDivElement>(null),
  };
  const [playback, setPlayback] = useState<Playback | undefined>(undefined);
  const [reported, setState] = useState<State | undefined>(undefined);
  const url = playlistUrl(channel);

  // Before the player is painted: keys belong to the playback.
  useLayoutEffect(() => {
    const elements = elementsOf(refs);
    if (elements === undefined) return;
    const made = new Playback(elements, setState);
    setState(made.state);
    setPlayback(made);
    return () => made.destroy();
  }, []);

  useEffect(() => playback?.tune(url), [playback, url]);

  return { refs, playback, state: stateOf(reported, url) };
}

function elementsOf(refs: ElementRefs): Elements | undefined {
  const [video, still, fields] = [refs.video.current, refs.still.current, refs.fields.current];
  const [images, cues] = [refs.images.current, refs.cues.current];
  if (!video || !still || !fields || !images || !cues) return undefined;
  return { video, still, fields, images, cues };
}

/** Return the URL of a channel's multivariant playlist. */
function playlistUrl(channel: Channel): string {
  return new URL(`hls/${encodeURIComponent(channel.id)}/index.m3u8`, document.baseURI).href;
}

/** Return the state of this playlist; reports about the previous one are ignored. */
function stateOf(reported: State | undefined, url: string): State | undefined {
  if (reported === undefined || reported.url === url) return reported;
  return { ...reported, phase: "opening", trouble: undefined, firstPictureMs: undefined };
}
