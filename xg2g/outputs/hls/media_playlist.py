"""Media playlists (draft-pantos-hls-rfc8216bis-22, 4.4.3 to 4.4.5)."""

from collections.abc import Iterator
from datetime import datetime

from .presentation import Presentation
from .rendition import (
    ListedHeader,
    ListedSegment,
    Rendition,
    SegmentLines,
    header_key,
    part_key,
    segment_key,
)
from .window import FIRST_NUMBER

_VERSION = 6
"""For EXT-X-MAP (8)."""

_SKIP_VERSION = 9
"""For EXT-X-SKIP (8)."""

_LONG_WINDOW_S = 600
"""Windows of this length and more have playlists that are worth delta updates."""


def media(
    presentation: Presentation, rendition: str, *, skip: bool = False, lead_in: bool = True
) -> str:
    """Return the playlist of a rendition as it is now. `skip` leaves out old segments (6.2.5.1)
    where the playlist offers it. Without `lead_in` it begins with the first segment, for a client
    that tries to load gaps. Raises `KeyError` for an unknown rendition."""
    presentation.settle()
    lines = _Lines(presentation, presentation.renditions[rendition], lead_in=lead_in)
    return "\n".join(lines.all(skip=skip)) + "\n"


class _Lines:
    def __init__(self, presentation: Presentation, rendition: Rendition, *, lead_in: bool) -> None:
        self._presentation = presentation
        self._rendition = rendition
        self._first = presentation.window.first_number
        if not lead_in:
            self._first = max(self._first, FIRST_NUMBER)
        self._listed = [s for s in rendition.segments if s.number >= self._first]
        self._target_s = presentation.target_duration

    def all(self, *, skip: bool) -> Iterator[str]:
        presentation, rendition = self._presentation, self._rendition
        skipped = self._skipped() if skip else 0
        yield "#EXTM3U"
        yield f"#EXT-X-VERSION:{_SKIP_VERSION if skipped else _VERSION}"
        yield "#EXT-X-INDEPENDENT-SEGMENTS"
        yield f"#EXT-X-TARGETDURATION:{self._target_s}"
        yield "#EXT-X-SERVER-CONTROL:" + ",".join(self._server_control())
        if not rendition.has_text:
            yield f"#EXT-X-PART-INF:PART-TARGET={_seconds(presentation.part_s)}"
        yield f"#EXT-X-MEDIA-SEQUENCE:{self._first}"
        yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{presentation.window.discontinuity_sequence}"
        if skipped:
            yield f"#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}"
        yield from self._segments(skipped)
        if presentation.is_ended:
            yield "#EXT-X-ENDLIST"
            return
        if not rendition.has_text and (not rendition.open or rendition.open.lists_all_parts):
            hinted = part_key(rendition, *rendition.position)
            yield f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{hinted}"'
        yield from self._reports()

    def _server_control(self) -> Iterator[str]:
        yield "CAN-BLOCK-RELOAD=YES"
        if can_skip(self._presentation):
            yield f"CAN-SKIP-UNTIL={_seconds(6 * self._target_s)}"
        yield f"HOLD-BACK={_seconds(3 * self._target_s)}"
        yield f"PART-HOLD-BACK={_seconds(self._presentation.part_hold_back_s)}"

    def _skipped(self) -> int:
        if self._presentation.is_ended or not can_skip(self._presentation):
            return 0
        left_s, kept = 0.0, 0
        for segment in reversed(self._listed):
            if left_s > 6 * self._target_s:
                break
            left_s += segment.duration_s
            kept += 1
        return len(self._listed) - kept

    def _segments(self, skipped: int) -> Iterator[str]:
        rendition = self._rendition
        with_parts = self._first_with_parts()
        mapped = None
        for at, segment in enumerate(self._listed):
            lines = segment.lines or self._written(segment)
            if at >= skipped:
                if lines.discontinuity:
                    yield lines.discontinuity
                if lines.header is not mapped and lines.map:
                    yield lines.map
                if at >= with_parts and segment.parts:
                    if lines.date:
                        yield lines.date
                    yield from self._parts(segment)
                    yield lines.end
                else:
                    yield lines.date_and_end
            mapped = lines.header or mapped
        if rendition.open is not None and rendition.open.parts:
            header = rendition.header_of(rendition.open.number)
            yield from self._before(rendition.open, header if header is not mapped else None)
            yield from self._parts(rendition.open)

    def _first_with_parts(self) -> int:
        """Return the index of the first segment whose parts are listed."""
        opened = self._rendition.open
        left_s, at = sum(p.duration_s for p in opened.parts) if opened else 0.0, len(self._listed)
        while at and left_s <= 3 * self._target_s:
            at -= 1
            left_s += self._listed[at].duration_s
        return at

    def _written(self, segment: ListedSegment) -> SegmentLines:
        """Write the lines of a whole segment, which stay: a window has thousands."""
        rendition = self._rendition
        header = None if segment.is_gap else rendition.header_of(segment.number)
        discontinuity, map_, date = "", "", ""
        for line in self._before(segment, header):
            if line.startswith("#EXT-X-MAP"):
                map_ = line
            elif line.startswith("#EXT-X-PROGRAM"):
                date = line
            else:
                discontinuity = line
        end = "#EXT-X-GAP\n" if segment.is_gap else ""
        end += f"#EXTINF:{_seconds(segment.duration_s)},\n{segment_key(rendition, segment.number)}"
        segment.lines = SegmentLines(header, discontinuity, map_, date, end)
        return segment.lines

    def _before(self, segment: ListedSegment, header: ListedHeader | None) -> Iterator[str]:
        if self._presentation.timeline.has_discontinuity(segment.number):
            yield "#EXT-X-DISCONTINUITY"
        if header is not None and not self._rendition.has_text:
            yield f'#EXT-X-MAP:URI="{header_key(self._rendition, header)}"'
        date = self._presentation.timeline.program_date(segment.number)
        if date is not None:
            yield f"#EXT-X-PROGRAM-DATE-TIME:{_date(date)}"

    def _parts(self, segment: ListedSegment) -> Iterator[str]:
        for part in segment.parts:
            uri = part_key(self._rendition, segment.number, part.index)
            independent = ",INDEPENDENT=YES" if part.is_independent else ""
            yield f'#EXT-X-PART:DURATION={_seconds(part.duration_s)},URI="{uri}"{independent}'

    def _reports(self) -> Iterator[str]:
        for other in self._presentation.renditions.values():
            is_listed = other.has_begun and not other.has_images
            if is_listed and other is not self._rendition:
                yield f'#EXT-X-RENDITION-REPORT:URI="{other.name}.m3u8",{_last(other)}'


def _last(rendition: Rendition) -> str:
    """Return the attributes of a report about the newest segment, the one under way included."""
    newest = rendition.open
    if newest is None or not newest.parts:
        newest = rendition.segments[-1] if rendition.segments else newest
    if newest is None:
        return f"LAST-MSN={rendition.next_number}"
    part = f",LAST-PART={len(newest.parts) - 1}" if newest.parts else ""
    return f"LAST-MSN={newest.number}{part}"


def can_skip(presentation: Presentation) -> bool:
    """Return whether playlists of this presentation offer delta updates."""
    return presentation.window.length_s >= _LONG_WINDOW_S


def _seconds(seconds: float) -> str:
    return f"{seconds:.5f}"


def _date(date: datetime) -> str:
    return date.isoformat(timespec="milliseconds").replace("+00:00", "Z")
