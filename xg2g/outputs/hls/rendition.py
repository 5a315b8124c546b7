"""A rendition: one track with its segments, parts and initialisation segments."""

from collections import deque
from dataclasses import dataclass, field

from xg2g_backends.packaging import Media

_SHORTEST_PART = 0.85
"""Shortest part, as a share of the part target (4.4.4.9)."""

_PART_TOLERANCE_S = 0.0005
"""Half of the unit in which packager and playlist count."""

_HOLE_S = 0.1
"""Largest difference between sound and picture of a segment: a frame or two. Sound that is shorter
by more has a hole."""

_SHORTEST_S = 0.04


@dataclass(slots=True)
class ListedPart:
    """A part in a playlist."""

    index: int
    duration_s: float
    is_independent: bool


@dataclass(slots=True)
class ListedSegment:
    """A segment in a playlist. While it is under way only its parts are listed."""

    number: int
    duration_s: float = 0.0
    parts: list[ListedPart] = field(default_factory=list)
    """Listed parts. No part is listed behind one that is longer than parts may be."""
    is_gap: bool = False
    is_independent: bool = True
    """Whether it begins with a random access point."""
    short_part: ListedPart | None = None
    """A part that is shorter than parts may be: listed if it is the last one of the segment."""
    file_count: int = 0
    """Number of parts, listed or not."""
    byte_count: int = 0
    lines: "SegmentLines | None" = None
    """Written once the segment is whole and program dates are settled."""

    @property
    def lists_all_parts(self) -> bool:
        """Whether the next part can be listed as well."""
        return len(self.parts) == self.file_count


@dataclass(frozen=True, slots=True)
class SegmentLines:
    """Lines of a whole segment in a media playlist, without those of its parts. A line that is not
    needed is empty."""

    header: "ListedHeader | None"
    discontinuity: str
    map: str
    """Listed where the segment before it needs another initialisation segment."""
    date: str
    end: str
    date_and_end: str = field(init=False)

    def __post_init__(self) -> None:
        both = f"{self.date}\n{self.end}" if self.date else self.end
        object.__setattr__(self, "date_and_end", both)


@dataclass(frozen=True, slots=True)
class ListedHeader:
    """An initialisation segment, without its bytes."""

    segment: int
    """Number of the first segment that needs it."""
    codecs: str
    media: Media
    timescale: int


@dataclass(slots=True)
class Rendition:
    """A track with its own playlist."""

    name: str
    next_number: int
    """Number of the segment that is under way or comes next."""
    headers: list[ListedHeader] = field(default_factory=list)
    """Initialisation segments of listed segments, oldest first."""
    segments: deque[ListedSegment] = field(default_factory=deque)
    """Whole segments and gaps; oldest first, without a number missing."""
    open: ListedSegment | None = None
    """The segment under way, once a part of it has come."""
    peak_bps: float = 0.0
    """Highest bit rate of a segment so far; before the first segment, of its parts."""
    total_bytes: int = 0
    total_s: float = 0.0
    longest_group_s: float = 0.0
    _group_s: float = 0.0
    """Duration from the latest segment on that begins with a random access point."""

    @property
    def header(self) -> ListedHeader:
        """The newest initialisation segment."""
        return self.headers[-1]

    @property
    def media(self) -> Media:
        """Description of the track by the newest initialisation segment."""
        return self.header.media

    @property
    def has_begun(self) -> bool:
        """Whether its playlist lists anything."""
        return bool(self.segments) or self.open is not None

    @property
    def has_segment(self) -> bool:
        """Whether it has a whole segment."""
        return any(not segment.is_gap for segment in self.segments)

    @property
    def has_parts(self) -> bool:
        """Whether any part of it has come."""
        return self.open is not None or self.has_segment

    @property
    def has_text(self) -> bool:
        """Whether its segments are files without parts and without initialisation segments."""
        return self.name.startswith(("text-", "images-"))

    @property
    def has_images(self) -> bool:
        """Whether it is made of subtitle pictures, which only the web page can show."""
        return self.name.startswith("images-")

    @property
    def extension(self) -> str:
        """File name extension of its segments and parts."""
        return {"text": "vtt", "images": "json"}.get(self.name.partition("-")[0], "m4s")

    @property
    def position(self) -> tuple[int, int]:
        """The next part to come: number of its segment, and its index there."""
        return self.next_number, self.open.file_count if self.open else 0

    def header_of(self, number: int) -> ListedHeader | None:
        """Return the initialisation segment that segment `number` needs."""
        valid = [header for header in self.headers if header.segment <= number]
        return valid[-1] if valid else None

    def has(self, number: int, part: int | None) -> bool:
        """Return whether the playlist lists part `part` of segment `number`, or the whole segment
        where `part` is None, or anything later (6.2.5.2)."""
        if number < self.next_number - 1:
            return True
        if part is None:
            return number < self.next_number
        listed = len(self.open.parts) if self.open else 0
        if number == self.next_number:
            return part < listed
        if number == self.next_number - 1:
            last = self.segments[-1] if self.segments else None
            # An index beyond its last part is the first part of the next segment.
            return last is None or not last.parts or part < len(last.parts) or listed > 0
        return False

    def add_header(self, header: ListedHeader) -> None:
        """Add an initialisation segment; it replaces one for the same segment."""
        self.headers = [it for it in self.headers if it.segment != header.segment] + [header]

    def add_part(
        self, duration_s: float, byte_count: int, *, is_independent: bool, target_s: float
    ) -> ListedSegment:
        """Add the next part to the segment under way, and return that segment. `target_s` is
        PART-TARGET."""
        if self.open is None:
            self.open = ListedSegment(self.next_number, is_independent=is_independent)
        segment = self.open
        is_listed = segment.lists_all_parts and not self.has_text
        if is_listed and duration_s <= target_s + _PART_TOLERANCE_S:
            part = ListedPart(segment.file_count, duration_s, is_independent)
            if duration_s < _SHORTEST_PART * target_s and not is_independent:
                segment.short_part = part
            else:
                segment.parts.append(part)
        segment.file_count += 1
        segment.duration_s += duration_s
        segment.byte_count += byte_count
        if self.total_s == 0.0:
            self.peak_bps = max(self.peak_bps, _bps(segment))
        return segment

    def close(self, span_s: float) -> ListedSegment:
        """End the segment under way, and return it. `span_s` is the duration of its number in all
        renditions, 0 while it is not known: clients add durations up, so a hole counts as well."""
        segment = self.open
        assert segment is not None
        self.open = None
        if segment.short_part and len(segment.parts) + 1 == segment.file_count:
            segment.parts.append(segment.short_part)
        rate_bps = _bps(segment)
        self.peak_bps = rate_bps if self.total_s == 0.0 else max(self.peak_bps, rate_bps)
        self.total_bytes += segment.byte_count
        self.total_s += segment.duration_s
        self._group_s = segment.duration_s + (0.0 if segment.is_independent else self._group_s)
        self.longest_group_s = max(self.longest_group_s, self._group_s)
        if segment.duration_s < span_s - _HOLE_S:
            segment.duration_s = span_s
        return self._add(segment)

    def add_gap(self, duration_s: float) -> ListedSegment:
        """Add a gap in the place of the next segment, and return it."""
        return self._add(ListedSegment(self.next_number, max(duration_s, 0.001), is_gap=True))

    def remove_until(self, number: int) -> None:
        """Remove all segments up to this number."""
        while self.segments and self.segments[0].number <= number:
            self.segments.popleft()

    def _add(self, segment: ListedSegment) -> ListedSegment:
        self.segments.append(segment)
        self.next_number = segment.number + 1
        return segment


def _bps(segment: ListedSegment) -> float:
    return 8 * segment.byte_count / max(segment.duration_s, _SHORTEST_S)


def header_key(rendition: Rendition, header: ListedHeader) -> str:
    """Return the file name of an initialisation segment, below the run's folder."""
    return f"{rendition.name}/header-{header.segment}.mp4"


def segment_key(rendition: Rendition, number: int) -> str:
    """Return the file name of a segment, below the run's folder."""
    return f"{rendition.name}/{number}.{rendition.extension}"


def part_key(rendition: Rendition, number: int, index: int) -> str:
    """Return the file name of a part of segment `number`, below the run's folder."""
    return f"{rendition.name}/{number}.{index}.{rendition.extension}"
