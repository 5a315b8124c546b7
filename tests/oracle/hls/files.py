"""What has to hold between playlists and the files that they name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from posixpath import dirname, join, normpath
from statistics import median, median_low

from .complaint import Complaint, Rules
from .mp4 import Fragment, Header, NotMp4Error, read_fragments, read_header
from .playlist import MediaPlaylist, Multivariant, Part, Segment

_TICK_S = 0.0001
_HOLE_S = 0.1
"""Sound ends a frame beside its picture."""
_DATE_TOLERANCE_S = 0.3
"""Dates are those of the picture that leads: other renditions begin a frame or the reordering
elsewhere."""


@dataclass(frozen=True)
class Stored:
    """A segment and what lies behind it."""

    segment: Segment
    header: Header | None
    data: bytes
    fragments: list[Fragment]
    parts: list[tuple[Part, bytes, list[Fragment]]]

    @property
    def start_s(self) -> float:
        assert self.header is not None
        return self.fragments[0].decode_time / self.header.timescale

    @property
    def end_s(self) -> float:
        assert self.header is not None
        last = self.fragments[-1]
        return (last.decode_time + last.duration) / self.header.timescale

    @property
    def duration_s(self) -> float:
        assert self.header is not None
        return sum(fragment.duration for fragment in self.fragments) / self.header.timescale


class Files:
    """A presentation with its files. `fetch` returns the bytes of a URI as playlists name it,
    relative to the multivariant playlist; None when it is not there."""

    def __init__(
        self, multivariant: str, media: dict[str, str], fetch: Callable[[str], bytes | None]
    ) -> None:
        self.multivariant = Multivariant(multivariant)
        self.media = {uri: MediaPlaylist(text) for uri, text in media.items()}
        self._fetch = fetch
        self.errors: list[str] = []
        """What is missing or cannot be read."""

    @cached_property
    def stored(self) -> dict[str, list[Stored]]:
        """Segments of MP4 that are no gaps, by playlist."""
        return {
            uri: [s for segment in playlist.all_segments if (s := self._stored(uri, segment))]
            for uri, playlist in self.media.items()
        }

    def get(self, playlist: str, uri: str | None) -> bytes:
        """The bytes of a URI of a playlist; what is missing is noted."""
        if uri is None:
            return b""
        found = self._fetch(normpath(join(dirname(playlist), uri)))
        if found is None:
            self.errors.append(f"{uri} is not there")
        return found or b""

    def _stored(self, playlist: str, segment: Segment) -> Stored | None:
        uris = [segment.uri, *(part.uri for part in segment.parts)]
        if segment.is_gap or not any(uri and uri.endswith(".m4s") for uri in uris):
            if segment.uri and not segment.is_gap:
                self.get(playlist, segment.uri)
            return None
        try:
            header = read_header(self.get(playlist, segment.map_uri)) if segment.map_uri else None
            parts = []
            for part in segment.parts:
                data = self.get(playlist, part.uri)
                parts.append((part, data, read_fragments(data)))
            data = (
                self.get(playlist, segment.uri) if segment.uri else b"".join(d for _, d, _ in parts)
            )
            return Stored(segment, header, data, read_fragments(data), parts)
        except NotMp4Error as error:
            self.errors.append(f"segment {segment.number} of {playlist}: {error}")
            return None

    def each(self) -> Iterator[tuple[str, Stored]]:
        for uri, stored in self.stored.items():
            for each in stored:
                yield uri, each


FILE_RULES: Rules[Files] = Rules()


def check_files(
    multivariant: str, media: dict[str, str], fetch: Callable[[str], bytes | None]
) -> list[Complaint]:
    """Return what the files of a presentation break."""
    return FILE_RULES.check(Files(multivariant, media, fetch))


@FILE_RULES("there-and-whole", "3.1.2, 6.2.1")
def _there(files: Files) -> Iterator[str]:
    """What is listed can be loaded, and is fragmented MP4."""
    assert files.stored is not None
    yield from files.errors


@FILE_RULES("map-fits", "3.1.2, 4.4.4.5")
def _map_fits(files: Files) -> Iterator[str]:
    for uri, stored in files.each():
        if stored.header is None:
            yield f"segment {stored.segment.number} of {uri} has no map"
        elif any(fragment.track != stored.header.track for fragment in stored.fragments):
            yield f"segment {stored.segment.number} of {uri} is of another track than its map"


@FILE_RULES("extinf-true", "4.4.4.1")
def _extinf(files: Files) -> Iterator[str]:
    """It is what the segment lasts. Where the media has a hole, it is what the other renditions'
    segments of the number last."""
    lasting: dict[int, list[float]] = {}
    for _, stored in files.each():
        lasting.setdefault(stored.segment.number, []).append(stored.duration_s)
    for uri, stored in files.each():
        told = stored.segment.duration
        if stored.header is None or stored.segment.uri is None:
            continue
        others = max(lasting[stored.segment.number])
        fills_hole = abs(told - others) <= _TICK_S and stored.duration_s < told - _HOLE_S
        if abs(stored.duration_s - told) > _TICK_S and not fills_hole:
            yield f"{stored.segment.uri} of {uri} says {told} s and lasts {stored.duration_s}"


@FILE_RULES("durations-add-up", "4.4.4.1; hls.js")
def _add_up(files: Files) -> Iterator[str]:
    """From discontinuity to discontinuity the sum of durations is the time that passes, in every
    rendition: clients find a segment by it."""
    for uri, playlist in files.media.items():
        by_number = {stored.segment.number: stored for stored in files.stored[uri]}
        offsets: dict[int, list[float]] = {}
        at_s = 0.0
        for segment in playlist.segments:
            stored = by_number.get(segment.number)
            if stored and stored.header:
                offset = stored.start_s - at_s
                offsets.setdefault(segment.discontinuity_number, []).append(offset)
            at_s += segment.duration
        for number, found in offsets.items():
            # What has a hole at its beginning is later than the others.
            late = [offset - min(found) for offset in found]
            if median_low(late) > _HOLE_S or max(late) > playlist.target + _HOLE_S:
                yield f"segments of {uri} begin {late} s beside the sum (discontinuity {number})"


@FILE_RULES("same-slots", "6.2.4")
def _same_slots(files: Files) -> Iterator[str]:
    """Segments of one number last as long in every rendition, within a frame or two."""
    lasting: dict[int, tuple[float, str]] = {}
    for uri, playlist in files.media.items():
        for segment in playlist.segments:
            told, where = lasting.setdefault(segment.number, (segment.duration, uri))
            if abs(told - segment.duration) > _HOLE_S + 0.05:
                here = f"{segment.duration} s in {uri}"
                yield f"segment {segment.number} lasts {here}, {told} in {where}"


@FILE_RULES("parts-true", "4.4.4.9")
def _parts(files: Files) -> Iterator[str]:
    for _, stored in files.each():
        for part, _, fragments in stored.parts:
            if stored.header is None:
                continue
            lasts = sum(fragment.duration for fragment in fragments) / stored.header.timescale
            if abs(lasts - part.duration) > _TICK_S:
                yield f"{part.uri} says {part.duration} s and lasts {lasts}"


@FILE_RULES("parts-make-the-segment", "3.2, 4.4.4.9")
def _parts_make(files: Files) -> Iterator[str]:
    """The parts, one behind the other, are the segment, or its beginning."""
    for _, stored in files.each():
        joined = b"".join(data for _, data, _ in stored.parts)
        if stored.segment.uri and stored.data[: len(joined)] != joined:
            yield f"{stored.segment.uri} is not what its parts are"


@FILE_RULES("independent", "4.4.2.1, 4.4.4.9")
def _independent(files: Files) -> Iterator[str]:
    name = "EXT-X-INDEPENDENT-SEGMENTS"
    for uri, stored in files.each():
        is_told = bool(files.media[uri].named(name) or files.multivariant.named(name))
        if is_told and not stored.fragments[0].are_sync[0]:
            yield f"segment {stored.segment.number} of {uri} does not begin with a sync sample"
        for part, _, fragments in stored.parts:
            if part.is_independent and not fragments[0].are_sync[0]:
                yield f"{part.uri} does not begin with a sync sample"


@FILE_RULES("times-go-on", "3, 6.2.1")
def _times(files: Files) -> Iterator[str]:
    """Without a discontinuity decode times go on where those before ended; what is missing is less
    than a target duration. They never go back."""
    for uri, stored in files.stored.items():
        for before, after in pairwise(stored):
            if before.header is None or after.header is None:
                continue
            step = after.start_s - before.end_s
            same = before.segment.discontinuity_number == after.segment.discontinuity_number
            between = sum(
                segment.duration
                for segment in files.media[uri].segments
                if before.segment.number < segment.number < after.segment.number
            )
            if same and not -0.001 < step < between + files.media[uri].target:
                yield f"segment {after.segment.number} of {uri} begins {step} s behind the last"
        for each in stored:
            assert each.header is not None
            for one, next_one in pairwise(each.fragments):
                if next_one.decode_time < one.decode_time + one.duration:
                    yield f"fragments of segment {each.segment.number} of {uri} overlap"


@FILE_RULES("dates-true", "6.2.4")
def _dates(files: Files) -> Iterator[str]:
    """Within a discontinuity the same date is the same time of the media, in every rendition.
    Media that is late begins within its segment."""
    offsets: dict[int, tuple[float, str]] = {}
    for uri, stored in files.each():
        date = stored.segment.date
        if date is None or stored.header is None:
            continue
        number = stored.segment.discontinuity_number
        shown_s = stored.start_s + _lead(stored)
        offset = date.timestamp() - shown_s
        first, where = offsets.setdefault(number, (offset, f"{uri} {stored.segment.number}"))
        late = first - offset
        lasts = stored.segment.duration or files.media[uri].target
        if not -_DATE_TOLERANCE_S < late < lasts + _DATE_TOLERANCE_S:
            yield (
                f"segment {stored.segment.number} of {uri} is dated {offset - first} s "
                f"from what {where} says"
            )


def _lead(stored: Stored) -> float:
    """How much later its first sample is shown than decoded."""
    assert stored.header is not None
    fragment = stored.fragments[0]
    return min(fragment.offsets[:1]) / stored.header.timescale


@FILE_RULES("codecs-true", "4.4.6.2, 6.2.4")
def _codecs(files: Files) -> Iterator[str]:
    for tag, _ in files.multivariant.variants:
        told = (tag.text("CODECS") or "").split(",")
        for uri, stored in files.each():
            if stored.header and stored.header.codecs not in told:
                yield f"{uri} has {stored.header.codecs}, CODECS says {told}"


@FILE_RULES("resolution-true", "4.4.6.2")
def _resolution(files: Files) -> Iterator[str]:
    """The newest picture is of the size that is told, in square samples."""
    for tag, uri in files.multivariant.variants:
        stored = [s for s in files.stored.get(uri or "", []) if s.header and s.header.width]
        told = tag.text("RESOLUTION")
        if stored and told is not None:
            header = stored[-1].header
            if header and told != f"{header.width}x{header.height}":
                yield f"RESOLUTION={told}, pictures are of {header.width}x{header.height}"


@FILE_RULES("frame-rate-true", "4.4.6.2")
def _frame_rate(files: Files) -> Iterator[str]:
    for tag, uri in files.multivariant.variants:
        told = tag.number("FRAME-RATE")
        stored = [s for s in files.stored.get(uri or "", []) if s.header and s.header.width]
        if told is None or not stored or stored[-1].header is None:
            continue
        lasts = median(d for fragment in stored[-1].fragments for d in fragment.durations)
        rate = stored[-1].header.timescale / lasts if lasts else 0
        if abs(rate - told) > 0.02 * told:
            yield f"FRAME-RATE={told}, pictures come at {rate}"


@FILE_RULES("channels-true", "4.4.6.1")
def _channels(files: Files) -> Iterator[str]:
    for tag in files.multivariant.media:
        stored = files.stored.get(tag.text("URI") or "", [])
        told = (tag.text("CHANNELS") or "").partition("/")[0]
        if stored and told and stored[-1].header and int(told) != stored[-1].header.channels:
            yield f"CHANNELS={told}, {tag.text('URI')} has {stored[-1].header.channels}"


@FILE_RULES("bandwidth-true", "4.4.6.2")
def _bandwidth(files: Files) -> Iterator[str]:
    """No combination of renditions has a higher peak segment bit rate (1.1)."""
    for tag, uri in files.multivariant.variants:
        told = tag.number("BANDWIDTH") or 0
        peak = _peak(files, uri or "")
        for kind in ("AUDIO", "SUBTITLES"):
            group = tag.text(kind)
            others = [
                _peak(files, other)
                for media in files.multivariant.media
                if media.text("GROUP-ID") == group and media.text("TYPE") == kind
                if (other := media.text("URI")) and other != uri
            ]
            peak += max(others, default=0.0)
        if peak > told:
            yield f"BANDWIDTH={told:.0f}, the peak is {peak:.0f}"


def _peak(files: Files, uri: str) -> float:
    """The highest bit rate of successive segments that last half to one and a half target
    durations."""
    whole = [s for s in files.stored.get(uri, []) if s.segment.uri]
    target = files.media[uri].target if uri in files.media else 1
    peak = 0.0
    for first in range(len(whole)):
        lasts, size = 0.0, 0
        for stored in whole[first:]:
            lasts, size = lasts + stored.duration_s, size + len(stored.data)
            if lasts > 1.5 * target:
                break
            if lasts >= 0.5 * target:
                peak = max(peak, 8 * size / lasts)
    return peak
