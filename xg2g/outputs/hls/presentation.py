"""What the packager's events make: renditions with the segments that are listed, and their times.

    packager's events -> Presentation -> playlists (multivariant.py, media.py)
                              '--------> files (shelf.py)

It awaits nothing and starts nothing: whoever feeds it wakes those who wait.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil, floor

from xg2g_backends.packaging import (
    Discontinuity,
    Event,
    Header,
    Media,
    NotOffered,
    Part,
    Segment,
    SoundMedia,
)

from .options import Targets
from .storage import Storage

_SILENCE_S = 4.0
"""What does not come so long after the picture has passed is a gap. The packager says so after 3 s,
where it knows the rendition."""

_WAIT_S = 2.0
"""Sound is sent up to 1.6 s behind its picture. A client that has the multivariant playlist before
never learns of it."""

FIRST_NUMBER = 3
"""Of the packager's first segment. What precedes it is a gap: clients want three target durations
in a first playlist, and a whole segment."""

_HOLE_S = 0.1
"""By how much sound and picture of a segment may differ: by a frame or two. Where sound is shorter
by more, it has a hole."""

_REANCHOR_S = 1.0
"""Behind a discontinuity, program dates follow the clock where it has gone ahead by more."""

_NO_VIDEO = ("mpeg2_video", "video_coding", "no_random_access", "no_pictures")

_MAX_RENDITIONS = 64

_MAX_SEGMENTS = 20_000
"""Of a rendition, however short they are."""

_SHORTEST_PART = 0.85
"""Of the part target: what parts last at least (4.4.4.9)."""

_PART_TOLERANCE_S = 0.0005
"""Half of what packager and playlist count in."""

_KNOWN_S = 10.0
"""How much of the picture tells how long its groups are."""


@dataclass(slots=True)
class ListedPart:
    """A part in a playlist."""

    index: int
    duration_s: float
    is_independent: bool


@dataclass(slots=True)
class ListedSegment:
    """A segment in a playlist; while it is under way, its parts alone."""

    number: int
    duration_s: float = 0.0
    parts: list[ListedPart] = field(default_factory=list)
    """Those that are listed. Behind one that is longer than parts may be, none is."""
    is_gap: bool = False
    is_independent: bool = True
    """Whether it begins with a random access point."""
    short_part: ListedPart | None = None
    """One that is shorter than parts may be: it is listed if it is the segment's last."""
    file_count: int = 0
    """How many parts it has, listed or not."""
    byte_count: int = 0
    lines: "SegmentLines | None" = None
    """Written once it is whole and program dates are settled."""

    @property
    def lists_all_parts(self) -> bool:
        """Whether the next part can be listed as well."""
        return len(self.parts) == self.file_count


@dataclass(frozen=True, slots=True)
class SegmentLines:
    """The lines of a whole segment in a media playlist, but for those of its parts. Empty ones are
    not there."""

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
    """Oldest first; those of segments that are listed."""
    segments: deque[ListedSegment] = field(default_factory=deque)
    """Those that are whole, or gaps; oldest first, without a number missing."""
    open: ListedSegment | None = None
    """The one that is under way, once a part of it has come."""
    peak_bps: float = 0.0
    """Highest bit rate of a segment so far; before there is one, of its parts."""
    total_bytes: int = 0
    total_s: float = 0.0
    group_s: float = 0.0
    """From the latest segment that begins with a random access point on."""
    longest_group_s: float = 0.0

    @property
    def header(self) -> ListedHeader:
        """The newest initialisation segment."""
        return self.headers[-1]

    @property
    def media(self) -> Media:
        """What it is, newest."""
        return self.header.media

    @property
    def has_parts(self) -> bool:
        """Whether anything of it has come."""
        return self.open is not None or any(not segment.is_gap for segment in self.segments)

    @property
    def has_text(self) -> bool:
        """Whether it is made of files for each segment that have no parts and need no
        initialisation segment."""
        return self.name.startswith(("text-", "images-"))

    @property
    def has_images(self) -> bool:
        """Whether only the page knows what it is: pictures of subtitles."""
        return self.name.startswith("images-")

    @property
    def extension(self) -> str:
        """How names of its segments and parts end."""
        return {"text": "vtt", "images": "json"}.get(self.name.partition("-")[0], "m4s")

    def header_of(self, number: int) -> ListedHeader | None:
        """Return the initialisation segment that segment `number` needs."""
        valid = [header for header in self.headers if header.segment <= number]
        return valid[-1] if valid else None


@dataclass(frozen=True, slots=True)
class _Span:
    """The time of a segment number, which all renditions share."""

    leader: str
    """The rendition that made it."""
    decode_s: float
    duration_s: float
    until_s: float = 0.0
    """Sum of all durations up to its end."""


@dataclass(slots=True)
class _Epoch:
    """Segments between two discontinuities."""

    first: int
    anchor: datetime | None = None
    """Program date of its beginning; None until the first playlist is given out."""
    length_s: float = 0.0
    """How much of it has come."""


class Presentation:
    """The state that a packager's events make.

    Feed it every event by `take`. What is listed once changes no more: segments are added, and the
    oldest ones leave.
    """

    def __init__(
        self,
        shelf: Storage,
        *,
        targets: Targets,
        window_s: float,
        run: str,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        expects: Collection[str] = (),
    ) -> None:
        """`targets` are the packager's. `window_s` is for how long segments stay; what live
        playback needs stays in any case. `run` names the folder of all files. `expects`
        are the renditions for which the first playlist waits, two seconds of the stream at most:
        `video`, `sound-514`. When none are told it waits for the picture and a sound."""
        self.shelf = shelf
        self.part_s = targets.part_ms / 1000
        self.target_duration = targets.duration
        """EXT-X-TARGETDURATION, in seconds."""
        self.run = run
        self.renditions: dict[str, Rendition] = {}
        self.not_offered: list[NotOffered] = []
        self.is_ended = False
        self.revision = 0
        """Goes up with all that changes a playlist."""
        self.first_number = FIRST_NUMBER
        """The oldest segment that is listed: EXT-X-MEDIA-SEQUENCE of every rendition."""
        self.discontinuity_sequence = 0
        self.too_long = 0
        """Segments that came out longer than the target duration allows."""
        self.window_s = window_s
        self._now_utc = now_utc
        self._expects = set(expects)
        self._is_settled = False
        self._lag_s = 0.0
        self._spans: dict[int, _Span] = {}
        """In the order of their numbers."""
        self._starts: dict[int, float] = {}
        """When segments begin, in seconds of their epoch."""
        self._epochs: list[_Epoch] = []
        self._ended: dict[str, int] = {}
        """Segments that have ended before their time was known, by rendition."""
        self._removed: deque[int] = deque()
        """Segments that are no longer listed and still there."""

    # What the packager says

    def take(self, event: Event) -> None:
        """Take the packager's next event."""
        if self.is_ended:
            return
        match event:
            case Header() as header:
                self._take_header(replace(header, segment=header.segment + FIRST_NUMBER))
            case Part() as part:
                self._take_part(replace(part, segment=part.segment + FIRST_NUMBER))
            case Segment() as segment:
                self._take_segment(replace(segment, number=segment.number + FIRST_NUMBER))
            case Discontinuity(number):
                self._take_discontinuity(number + FIRST_NUMBER)
            case NotOffered():
                self.not_offered.append(event)
                self._expects.discard(f"sound-{event.pid}")
                if event.reason in _NO_VIDEO:
                    self._expects.discard("video")

    def expect(self, names: Iterable[str]) -> None:
        """Let the first playlist wait for these renditions, too."""
        self._expects.update(names)

    def end(self) -> None:
        """Close what is under way. Playlists say from now on that nothing follows."""
        if self.is_ended:
            return
        for rendition in self.renditions.values():
            self._close(rendition)
        newest = max((r.next_number for r in self.renditions.values()), default=0)
        for rendition in self.renditions.values():
            self._fill(rendition, newest)
        self.is_ended = True
        self.revision += 1

    def _take_header(self, event: Header) -> None:
        rendition = self.renditions.get(event.rendition)
        if rendition is None:
            if len(self.renditions) >= _MAX_RENDITIONS and not self._forget_a_rendition():
                return
            self._begin_at(event.segment)
            rendition = Rendition(event.rendition, self.first_number)
            self.renditions[event.rendition] = rendition
        segment = max(event.segment, rendition.next_number)
        header = ListedHeader(segment, event.codecs, event.media, event.timescale)
        if event.data:
            self.shelf.put(header_key(rendition, header), event.data)
        rendition.headers = [h for h in rendition.headers if h.segment != segment] + [header]
        self.revision += 1

    def _take_part(self, event: Part) -> None:
        rendition = self.renditions.get(event.rendition)
        if rendition is None or event.segment < rendition.next_number:
            return
        self._advance(rendition, event.segment)
        timescale = rendition.header.timescale
        start_s, duration_s = event.decode_time / timescale, event.duration / timescale
        self._start(event.segment, event.rendition, start_s)
        opened = rendition.open
        if opened is None:
            opened = rendition.open = ListedSegment(event.segment)
            opened.is_independent = event.is_independent
        index = opened.file_count
        self.shelf.put(part_key(rendition, opened.number, index), event.data)
        is_listed = opened.lists_all_parts and not rendition.has_text
        opened.file_count += 1
        if is_listed and duration_s <= self.part_s + _PART_TOLERANCE_S:
            part = ListedPart(index, duration_s, event.is_independent)
            is_short = duration_s < _SHORTEST_PART * self.part_s and not part.is_independent
            if is_short:
                opened.short_part = part
            else:
                opened.parts.append(part)
        opened.duration_s += duration_s
        opened.byte_count += len(event.data)
        if rendition.total_s == 0.0:
            rate = 8 * opened.byte_count / max(opened.duration_s, 0.04)
            rendition.peak_bps = max(rendition.peak_bps, rate)
        epoch = self._epoch_of(event.segment)
        reached = self._starts[event.segment] + opened.duration_s
        epoch.length_s = max(epoch.length_s, reached)
        self.revision += 1

    def _take_segment(self, event: Segment) -> None:
        rendition = self.renditions.get(event.rendition)
        if rendition is None:
            return
        timescale = rendition.header.timescale
        start_s, duration_s = event.decode_time / timescale, event.duration / timescale
        if event.number >= rendition.next_number:
            self._advance(rendition, event.number)
        if self._is_led_by_another(rendition, event.number):
            # It has ended before the time of its segment is known.
            self._ended[rendition.name] = event.number
            return
        self._note_span(event.number, _Span(event.rendition, start_s, duration_s))
        self._finish(rendition, event.number, duration_s)
        self._fill_silence()
        self._leave_window()

    def _finish(self, rendition: Rendition, number: int, duration_s: float) -> None:
        """Close a segment that has ended; without parts it is a gap."""
        if number < rendition.next_number:
            return
        if rendition.open is None:
            self._add_gap(rendition, number, duration_s)
        elif rendition.open.number == number:
            self._close(rendition)

    def _take_discontinuity(self, number: int) -> None:
        if any(epoch.first >= number for epoch in self._epochs):
            return
        epoch = _Epoch(number)
        if self._epochs and self._epochs[-1].anchor is not None:
            before = self._epochs[-1]
            ended = self._epochs[-1].anchor + timedelta(seconds=before.length_s)
            now = self._now_utc()
            epoch.anchor = now if now > ended + timedelta(seconds=_REANCHOR_S) else ended
        self._epochs.append(epoch)
        self.revision += 1

    # Segments and gaps

    def _begin_at(self, number: int) -> None:
        if not self.renditions and not self._spans:
            self.first_number = number

    def _advance(self, rendition: Rendition, number: int) -> None:
        """Close what precedes a segment."""
        if rendition.open is not None and rendition.open.number < number:
            self._close(rendition)
        self._fill(rendition, number)

    def _close(self, rendition: Rendition) -> None:
        segment = rendition.open
        if segment is None:
            return
        rendition.open = None
        if segment.short_part and len(segment.parts) + 1 == segment.file_count:
            segment.parts.append(segment.short_part)
        number = segment.number
        names = [part_key(rendition, number, index) for index in range(segment.file_count)]
        self.shelf.join(segment_key(rendition, number), names)
        rate = 8 * segment.byte_count / max(segment.duration_s, 0.04)
        is_first = rendition.total_s == 0.0
        rendition.peak_bps = rate if is_first else max(rendition.peak_bps, rate)
        rendition.total_bytes += segment.byte_count
        rendition.total_s += segment.duration_s
        before_s = 0.0 if segment.is_independent else rendition.group_s
        rendition.group_s = before_s + segment.duration_s
        rendition.longest_group_s = max(rendition.longest_group_s, rendition.group_s)
        span = self._spans.get(number)
        if span is not None and segment.duration_s < span.duration_s - _HOLE_S:
            # Clients add durations up: a hole counts as well.
            segment.duration_s = span.duration_s
        self._add(rendition, segment)

    def _fill(self, rendition: Rendition, until: int) -> None:
        while rendition.next_number < until:
            span = self._spans.get(rendition.next_number)
            duration_s = span.duration_s if span else 0.0
            self._add_gap(rendition, rendition.next_number, duration_s)

    def _add_gap(self, rendition: Rendition, number: int, duration_s: float) -> None:
        span = self._spans.get(number)
        duration_s = span.duration_s if span else duration_s
        self._add(rendition, ListedSegment(number, max(duration_s, 0.001), is_gap=True))

    def _add(self, rendition: Rendition, segment: ListedSegment) -> None:
        rendition.segments.append(segment)
        rendition.next_number = segment.number + 1
        if _rounded(segment.duration_s) > self.target_duration:
            self.too_long += 1
        self.revision += 1

    def _fill_silence(self) -> None:
        """Add gaps to renditions of which nothing comes."""
        for rendition in self.renditions.values():
            while (span := self._spans.get(rendition.next_number)) is not None:
                lag_s = self._reached_s - span.until_s
                if lag_s <= (_SILENCE_S if rendition.open is None else 2 * _SILENCE_S):
                    break
                if rendition.open is not None:
                    self._close(rendition)
                else:
                    self._add_gap(rendition, rendition.next_number, span.duration_s)

    # The window

    def _leave_window(self) -> None:
        while (span := self._spans.get(self.first_number)) is not None:
            is_lead_in = self.first_number < FIRST_NUMBER
            wanted_s = max(0.0 if is_lead_in else self.window_s, self.live_window_s)
            is_many = len(self._spans) > _MAX_SEGMENTS
            if self._reached_s - span.until_s < wanted_s and not is_many:
                break
            if any(r.next_number <= self.first_number for r in self.renditions.values()):
                break
            self._remove_first()
        self._drop_removed()

    @property
    def listed_s(self) -> float:
        """How long the window is."""
        before = self._spans.get(self.first_number - 1)
        return self._reached_s - (before.until_s if before else 0.0)

    def shorten(self) -> bool:
        """Give up the oldest segment. Return whether there was one that live playback can do
        without."""
        span = self._spans.get(self.first_number)
        if span is None or self._reached_s - span.until_s < self.live_window_s:
            return False
        if any(r.next_number <= self.first_number for r in self.renditions.values()):
            return False
        self._remove_first()
        self._drop_removed()
        return True

    def _remove_first(self) -> None:
        number = self.first_number
        if any(epoch.first == number for epoch in self._epochs[1:]):
            self.discontinuity_sequence += 1
        self.first_number = number + 1
        self._removed.append(number)
        for rendition in list(self.renditions.values()):
            while rendition.segments and rendition.segments[0].number <= number:
                rendition.segments.popleft()
        self.revision += 1

    def _drop_removed(self) -> None:
        """Give up files of segments that left the playlist a segment's duration ago and more
        (draft-pantos-hls-rfc8216bis-22, 6.2.2)."""
        newest = self._spans.get(self.first_number - 1)
        while newest is not None and len(self._removed) > 1:
            number = self._removed[0]
            span = self._spans[number]
            if newest.until_s - span.until_s < span.duration_s:
                break
            self._removed.popleft()
            del self._spans[number]
            self._starts.pop(number, None)
            for rendition in self.renditions.values():
                self.shelf.drop(segment_key(rendition, number))
                self._drop_headers(rendition, number)
        while len(self._epochs) > 1 and self._epochs[1].first < min(self._starts, default=0):
            del self._epochs[0]

    def _drop_headers(self, rendition: Rendition, number: int) -> None:
        """Give up initialisation segments that no segment behind `number` needs."""
        while len(rendition.headers) > 1 and rendition.headers[1].segment <= number + 1:
            self.shelf.drop(header_key(rendition, rendition.headers.pop(0)))

    def _forget_a_rendition(self) -> bool:
        for name, rendition in self.renditions.items():
            if not rendition.has_parts and name != "video":
                for header in rendition.headers:
                    self.shelf.drop(header_key(rendition, header))
                del self.renditions[name]
                return True
        return False

    # Times

    def _epoch_of(self, number: int) -> _Epoch:
        if not self._epochs:
            self._epochs.append(_Epoch(number))
        return next((e for e in reversed(self._epochs) if e.first <= number), self._epochs[0])

    def _is_led_by_another(self, rendition: Rendition, number: int) -> bool:
        """Return whether another rendition will tell the time of a segment."""
        if number in self._spans:
            return False
        newest = next(reversed(self._spans.values()), None)
        leader = self.renditions.get(newest.leader if newest and newest.leader else "video")
        if leader is None or leader.open is None:
            leader = self.renditions.get("video")
        is_running = leader is not None and leader.open is not None
        return is_running and leader is not rendition

    def _note_span(self, number: int, span: _Span) -> None:
        """Note the time of a segment. The leading rendition is the first to tell it."""
        newest = next(reversed(self._spans), self.first_number - 1)
        if number <= newest:
            return
        for missing in range(newest + 1, number):
            # Nothing came of it in any rendition.
            self._start(missing, span.leader, span.decode_s)
            self._spans[missing] = _Span(span.leader, span.decode_s, 0.0, self._reached_s)
        self._start(number, span.leader, span.decode_s)
        self._spans[number] = replace(span, until_s=self._reached_s + span.duration_s)
        epoch = self._epoch_of(number)
        epoch.length_s = max(epoch.length_s, self._starts[number] + span.duration_s)
        for name, pending in list(self._ended.items()):
            if name in self.renditions and pending <= number:
                del self._ended[name]
                self._finish(self.renditions[name], pending, 0.0)

    @property
    def _reached_s(self) -> float:
        return next(reversed(self._spans.values())).until_s if self._spans else 0.0

    def _start(self, number: int, rendition: str, decode_s: float) -> None:
        """Note when a segment begins, by the first of it that comes."""
        if number in self._starts:
            return
        epoch = self._epoch_of(number)
        before = self._spans.get(number - 1)
        if number == epoch.first or before is None or number - 1 not in self._starts:
            self._starts[number] = epoch.length_s
            return
        lasted_s = before.duration_s
        if before.leader == rendition:
            lasted_s = decode_s - before.decode_s
        self._starts[number] = self._starts[number - 1] + lasted_s

    def program_date(self, number: int) -> datetime | None:
        """Return when a segment begins: the wall clock when the first picture came, and from there
        on the time that the pictures tell. Behind a discontinuity the clock is read anew. None
        before `settle`."""
        epoch, start_s = self._epoch_of(number), self._starts.get(number)
        if epoch.anchor is None:
            return None
        if start_s is None:
            before = self._spans.get(number - 1)
            start_s = self._starts.get(number - 1, 0.0) + (before.duration_s if before else 0.0)
        return epoch.anchor + timedelta(seconds=start_s)

    def has_discontinuity(self, number: int) -> bool:
        """Return whether a segment does not follow from the one before it."""
        return any(epoch.first == number for epoch in self._epochs[1:])

    # What playlists promise

    @property
    def is_ready(self) -> bool:
        """Whether a first playlist can be given out."""
        main = self.main
        if main is None:
            return False
        if self.is_ended or sum(epoch.length_s for epoch in self._epochs) >= _WAIT_S:
            return True
        renditions = self.renditions.values()
        if not all(r.has_text or self.has_begun(r.name) for r in renditions):
            return False
        if self._expects:
            return self._expects <= self.renditions.keys()
        return main.name == "video" and any(name.startswith("sound-") for name in self.renditions)

    def has_begun(self, name: str) -> bool:
        """Return whether a rendition's playlist has anything in it."""
        rendition = self.renditions[name]
        return bool(rendition.segments) or rendition.open is not None

    @property
    def main(self) -> Rendition | None:
        """The picture, or the first sound where there is none."""
        video = self.renditions.get("video")
        if video is not None and video.has_parts:
            return video
        return next((r for r in self.renditions.values() if r.has_parts), None)

    def current(self) -> Iterator[Rendition]:
        """Give what a client that comes now is offered: the renditions of which something came
        since the last discontinuity. While that is recent, those from before it as well."""
        newest = self._epochs[-1] if self._epochs else _Epoch(0)
        for rendition in self.renditions.values():
            is_new = rendition.header.segment >= newest.first
            is_offered = is_new or newest.length_s < _WAIT_S
            if is_offered and (rendition.has_text or self.has_begun(rendition.name)):
                yield rendition

    def settle(self) -> None:
        """Decide what may not change from the first playlist on: how far clients stay behind, and
        program dates."""
        if not self._is_settled:
            self._is_settled = True
            self._lag_s = self._measured_lag_s()
            self._lead_in(self.target_duration)
        newest, end = None, self._now_utc()
        for epoch in reversed(self._epochs):
            if epoch.anchor is not None:
                break
            begin = end if newest is None else newest
            newest = epoch.anchor = begin - timedelta(seconds=epoch.length_s)

    def _lead_in(self, target: int) -> None:
        """Put gaps in front where there is less than clients want of a first playlist."""
        begun = [r for r in self.renditions.values() if self.has_begun(r.name)]
        listed_s = min((sum(s.duration_s for s in r.segments) for r in begun), default=0.0)
        count = min(ceil(max(3 * target - listed_s, 0) / target), FIRST_NUMBER)
        if self.first_number != FIRST_NUMBER:
            return
        gaps: dict[int, _Span] = {}
        for back in range(count, 0, -1):
            number = FIRST_NUMBER - back
            gaps[number] = _Span("", 0.0, float(target), until_s=-float(target * (back - 1)))
            self._starts[number] = -float(target * back)
            for rendition in reversed(self.renditions.values()):
                gap = ListedSegment(number, float(target), is_gap=True)
                rendition.segments.insert(count - back, gap)
        self._spans = gaps | self._spans
        self.first_number -= count
        self.revision += 1

    def _measured_lag_s(self) -> float:
        """Return how far the slowest sound is behind the main rendition. One that is silent does
        not count."""
        main = self.main
        if main is None:
            return 0.0
        sounds = [r for r in self.renditions.values() if isinstance(r.media, SoundMedia)]
        lags = [self._edge_s(main) - self._edge_s(sound) for sound in sounds]
        return max((lag for lag in lags if lag < _SILENCE_S), default=0.0)

    def _edge_s(self, rendition: Rendition) -> float:
        """Return how much has come of a rendition."""
        last = self._spans.get(rendition.next_number - 1)
        opened = rendition.open
        return (last.until_s if last else 0.0) + (opened.duration_s if opened else 0.0)

    @property
    def part_hold_back_s(self) -> float:
        """Return how far from the end of a playlist a client plays: three part targets (4.4.3.8),
        from where the slowest sound is. The end is the picture's, and all playlists have to say
        the same (6.2.4)."""
        parts = 3 + (1 + ceil(self._lag_s / self.part_s) if self._lag_s > 0 else 0)
        # Rounded up for clients who round otherwise.
        return ceil(10 * parts * self.part_s) / 10

    @property
    def longest_group_s(self) -> float | None:
        """The longest time between random access points, as far as segments show it; None while
        too little has come."""
        video = self.renditions.get("video")
        return video.longest_group_s if video and video.total_s >= _KNOWN_S else None

    @property
    def live_window_s(self) -> float:
        """What stays listed in any case. Three target durations have to (6.2.2), also of a sound
        that is behind; parts have to be there for as long after they left (6.2.2)."""
        return max(6.0 * self.target_duration, 3.0 * self.target_duration + 2 * _SILENCE_S)

    @property
    def oldest_kept(self) -> int:
        """The oldest segment whose files are there, listed or not."""
        return self._removed[0] if self._removed else self.first_number

    @property
    def held_bytes(self) -> int:
        """Bytes of files in memory."""
        return self.shelf.held_bytes

    # What requests ask

    @property
    def has_lead_in(self) -> bool:
        """Whether gaps are listed from before the first segment."""
        return self.first_number < FIRST_NUMBER

    def has_segment(self, name: str) -> bool:
        """Return whether a rendition has a segment that is whole."""
        return any(not segment.is_gap for segment in self.renditions[name].segments)

    def position(self, name: str) -> tuple[int, int]:
        """Return the next part to come: its segment's number and its index there."""
        rendition = self.renditions[name]
        opened = rendition.open
        return rendition.next_number, opened.file_count if opened else 0

    def has(self, name: str, number: int, part: int | None) -> bool:
        """Return whether a rendition's playlist has the part `part` of segment `number`, or the
        segment where that is None, or anything later; or has ended (6.2.5.2)."""
        rendition = self.renditions[name]
        if self.is_ended or number < rendition.next_number - 1:
            return True
        if part is None:
            return number < rendition.next_number
        listed = len(rendition.open.parts) if rendition.open else 0
        if number == rendition.next_number:
            return part < listed
        if number == rendition.next_number - 1:
            last = rendition.segments[-1] if rendition.segments else None
            # An index beyond its last part is the first part of the next segment.
            return last is None or not last.parts or part < len(last.parts) or listed > 0
        return False


def _rounded(seconds: float) -> int:
    return floor(seconds + 0.5)


def header_key(rendition: Rendition, header: ListedHeader) -> str:
    """Return the file of an initialisation segment, below the run's folder."""
    return f"{rendition.name}/header-{header.segment}.mp4"


def segment_key(rendition: Rendition, number: int) -> str:
    """Return the file of a segment, below the run's folder."""
    return f"{rendition.name}/{number}.{rendition.extension}"


def part_key(rendition: Rendition, number: int, index: int) -> str:
    """Return the file of a part of segment `number`, below the run's folder."""
    return f"{rendition.name}/{number}.{index}.{rendition.extension}"
