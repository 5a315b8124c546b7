/** Viewers by the stream that they share. */
import type { Stream, Streams } from "../api/types";

export interface Watched {
  /** Id of the upstream, or of a viewer that has none yet. */
  id: string;
  channel: string;
  channelName: string;
  /** One sentence about its state; undefined if it simply runs. */
  note: string | undefined;
  streams: Stream[];
}

const NOTES: Readonly<Record<string, string>> = {
  opening: "Opening.",
  lingering: "No viewer is left. The channel stays open for a moment.",
  reconnecting: "The receiver's stream was lost. xg2g is opening it again.",
};

/** Return each upstream with its viewers, then viewers that wait for one. */
export function watched({ streams, upstreams }: Streams): Watched[] {
  const found = upstreams.map((upstream) => ({
    id: upstream.id,
    channel: upstream.channel,
    channelName: upstream.channel_name ?? upstream.channel,
    note: NOTES[upstream.state],
    streams: streams.filter((stream) => stream.upstream === upstream.id),
  }));
  const placed = new Set(found.flatMap((each) => each.streams));
  const waiting = streams
    .filter((stream) => !placed.has(stream))
    .map((stream) => ({
      id: stream.id,
      channel: stream.channel,
      channelName: stream.channel_name ?? stream.channel,
      note: NOTES["opening"],
      streams: [stream],
    }));
  // An upstream that is opening is shown by the viewers that wait for it.
  return [
    ...found.filter((each) => each.streams.length > 0 || each.note !== NOTES["opening"]),
    ...waiting,
  ];
}
