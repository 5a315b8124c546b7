/** Who watches what: viewers by the stream that they share. */
import type { Stream, Streams } from "../api/types";

export interface Watched {
  /** Of the upstream, or of the viewer that has none yet. */
  id: string;
  channel: string;
  channelName: string;
  /** What is special about it. */
  note: string | undefined;
  streams: Stream[];
}

const NOTES: Readonly<Record<string, string>> = {
  opening: "It is being opened.",
  lingering: "Nobody watches any more; the next viewer begins at once.",
  reconnecting: "The receiver's stream was lost, and is opened again.",
};

/** Return each stream of the receiver with its viewers, then those that wait for one. */
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
  // An upstream that opens is told by those who wait for it.
  return [
    ...found.filter((each) => each.streams.length > 0 || each.note !== NOTES["opening"]),
    ...waiting,
  ];
}
