/**
 * Gaps in front of a channel that has just been opened.
 *
 * Until there are segments the gateway puts gaps in front of the first one: a playlist of parts
 * alone is refused by hls.js. But hls.js also begins to play within them, and then waits for whole
 * segments of the sound. So they are made one, so short that hls.js looks past it.
 */

/** Length of the gap that is left, in seconds: below hls.js's `maxFragLookUpTolerance`. */
const GAP_S = 0.1;

const SEQUENCE = /^#EXT-X-MEDIA-SEQUENCE:(\d+)$/;
const DATE = /^#EXT-X-PROGRAM-DATE-TIME:(.+)$/;
/** The first line of a segment, its parts included. */
const SEGMENT = /^(#EXT(INF|-X-(PROGRAM-DATE-TIME|GAP|MAP|PART|DISCONTINUITY)):?|[^#])/;

/** Return a media playlist with at most one, short gap in front; any other text as it is. */
export function shortenGaps(playlist: string): string {
  if (!playlist.includes("#EXT-X-GAP") || playlist.includes("#EXT-X-SKIP")) return playlist;
  const lines = playlist.split("\n");
  const first = lines.findIndex(
    (line) => SEGMENT.test(line) && !line.startsWith("#EXT-X-PART-INF"),
  );
  let end = first;
  let count = 0;
  for (let at = first; ; ) {
    const address = lines.findIndex((line, index) => index >= at && line !== "" && line[0] !== "#");
    if (address < 0 || !isGap(lines.slice(at, address))) break;
    count += 1;
    at = address + 1;
    end = at;
  }
  if (count === 0) return playlist;
  const head = lines.slice(0, first).map((line) => {
    const sequence = SEQUENCE.exec(line)?.[1];
    return sequence ? `#EXT-X-MEDIA-SEQUENCE:${Number(sequence) + count - 1}` : line;
  });
  const rest = lines.slice(end);
  const gap = ["#EXT-X-GAP", ...dateBefore(rest), `#EXTINF:${GAP_S},`, lines[end - 1] ?? ""];
  return [...head, ...gap, ...rest].join("\n");
}

/** Whether a segment's tags make it a gap. Parts before a gap belong to what comes behind it. */
function isGap(tags: string[]): boolean {
  return tags.includes("#EXT-X-GAP") && !tags.some((tag) => tag.startsWith("#EXT-X-PART:"));
}

/** Return the tag that dates a gap before the first date in `lines`. */
function dateBefore(lines: string[]): string[] {
  const date = lines.map((line) => DATE.exec(line)?.[1]).find((found) => found !== undefined);
  const at = Date.parse(date ?? "") - GAP_S * 1000;
  return Number.isNaN(at) ? [] : [`#EXT-X-PROGRAM-DATE-TIME:${new Date(at).toISOString()}`];
}
