"""The state of an HLS output, which the packager's events make.

    packager's events -> Presentation -> playlists (multivariant_playlist.py, media_playlist.py)
                              '--------> files (storage.py)

It awaits nothing and starts nothing: `HlsOutput` feeds it, and wakes the requests that wait.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil, floor

from xg2g_backends.packaging import (
    Discontinuity,
    Event,
    Header,
    NotOffered,
    Part,
    Segment,
    SoundMedia,
)

from .options import Targets
from .rendition import ListedHeader, ListedSegment, Rendition, header_key, part_key, segment_key
from .storage import Storage
from .timeline import Span, Timeline
from .window import FIRST_NUMBER, SILENCE_S, Window

_WAIT_S = 2.0
"""How much of a stream may come before the first playlist has to be there: sound is sent up to
1.6 s behind its picture, and a client loads the multivariant playlist only once."""

_NO_VIDEO = ("mpeg2_video", "video_coding", "no_random_access", "no_pictures")

_MAX_RENDITIONS = 64

_KNOWN_S = 10.0
"""How much of the picture tells how long its groups are."""


class Presentation:
    """Renditions and their times, as playlists list them.

    Feed it every event by `take`. A listed segment changes no more: segments are added, and the
    oldest ones leave.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        targets: Targets,
        window_s: float,
        run: str,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        expects: Collection[str] = (),
    ) -> None:
        """`targets` are the packager's, `window_s` is how long segments stay, and `run` names the
        folder of all files. `expects` are the renditions for which the first playlist waits, two
        seconds of the stream at most: `video`, `sound-514`. Without any it waits for the picture
        and a sound."""
        self.storage = storage
        self.part_s = targets.part_ms / 1000
        """PART-TARGET."""
        self.target_duration = targets.duration
        """EXT-X-TARGETDURATION, in seconds."""
        self.run = run
        self.renditions: dict[str, Rendition] = {}
        self.timeline = Timeline()
        self.window = Window(
            self.timeline,
            self.renditions,
            storage,
            length_s=window_s,
            target_duration=targets.duration,
        )
        self.not_offered: list[NotOffered] = []
        self.is_ended = False
        self.revision = 0
        """Goes up with every change of a playlist."""
        self.too_long = 0
        """Number of segments that are longer than the target duration allows."""
        self._now_utc = now_utc
        self._expects = set(expects)
        self._is_settled = False
        self._lag_s = 0.0
        self._ended: dict[str, int] = {}
        """Segments that have ended before their time was known, by rendition."""

    # Events of the packager

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
                if self.timeline.begin_epoch(number + FIRST_NUMBER, self._now_utc()):
                    self.revision += 1
            case NotOffered():
                self.not_offered.append(event)
                self._expects.discard(f"sound-{event.pid}")
                if event.reason in _NO_VIDEO:
                    self._expects.discard("video")

    def expect(self, names: Iterable[str]) -> None:
        """Let the first playlist wait for these renditions, too."""
        self._expects.update(names)

    def end(self) -> None:
        """Close the segments under way. Playlists say from now on that nothing follows."""
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
            if not self.renditions and not len(self.timeline):
                self.window.first_number = event.segment
            rendition = Rendition(event.rendition, self.window.first_number)
            self.renditions[event.rendition] = rendition
        segment = max(event.segment, rendition.next_number)
        header = ListedHeader(segment, event.codecs, event.media, event.timescale)
        if event.data:
            self.storage.put(header_key(rendition, header), event.data)
        rendition.add_header(header)
        self.revision += 1

    def _take_part(self, event: Part) -> None:
        rendition = self.renditions.get(event.rendition)
        if rendition is None or event.segment < rendition.next_number:
            return
        self._advance(rendition, event.segment)
        timescale = rendition.header.timescale
        self.timeline.start(event.segment, event.rendition, event.decode_time / timescale)
        self.storage.put(part_key(rendition, *rendition.position), event.data)
        segment = rendition.add_part(
            event.duration / timescale,
            len(event.data),
            is_independent=event.is_independent,
            target_s=self.part_s,
        )
        self.timeline.extend(segment.number, segment.duration_s)
        self.revision += 1

    def _take_segment(self, event: Segment) -> None:
        rendition = self.renditions.get(event.rendition)
        if rendition is None:
            return
        timescale = rendition.header.timescale
        decode_s, duration_s = event.decode_time / timescale, event.duration / timescale
        if event.number >= rendition.next_number:
            self._advance(rendition, event.number)
        if self._is_led_by_another(rendition, event.number):
            # It has ended before the time of its segment is known.
            self._ended[rendition.name] = event.number
            return
        span = Span(event.rendition, decode_s, duration_s)
        if self.timeline.add(event.number, span, first=self.window.first_number):
            for name, pending in list(self._ended.items()):
                if name in self.renditions and pending <= event.number:
                    del self._ended[name]
                    self._finish(self.renditions[name], pending, 0.0)
        self._finish(rendition, event.number, duration_s)
        self._fill_silence()
        self.revision += self.window.trim()

    def _is_led_by_another(self, rendition: Rendition, number: int) -> bool:
        """Return whether another rendition will tell the time of a segment."""
        if self.timeline.span(number) is not None:
            return False
        leader = self.renditions.get(self.timeline.leader or "video")
        if leader is None or leader.open is None:
            leader = self.renditions.get("video")
        is_running = leader is not None and leader.open is not None
        return is_running and leader is not rendition

    # Segments and gaps

    def _finish(self, rendition: Rendition, number: int, duration_s: float) -> None:
        """Close a segment that has ended; without parts it is a gap."""
        if number < rendition.next_number:
            return
        if rendition.open is None:
            self._add_gap(rendition, duration_s)
        elif rendition.open.number == number:
            self._close(rendition)

    def _advance(self, rendition: Rendition, number: int) -> None:
        """Close the segments before this one."""
        if rendition.open is not None and rendition.open.number < number:
            self._close(rendition)
        self._fill(rendition, number)

    def _fill(self, rendition: Rendition, until: int) -> None:
        while rendition.next_number < until:
            self._add_gap(rendition, 0.0)

    def _fill_silence(self) -> None:
        """Add gaps to renditions of which nothing comes."""
        for rendition in self.renditions.values():
            while (span := self.timeline.span(rendition.next_number)) is not None:
                lag_s = self.timeline.reached_s - span.until_s
                if lag_s <= (SILENCE_S if rendition.open is None else 2 * SILENCE_S):
                    break
                if rendition.open is not None:
                    self._close(rendition)
                else:
                    self._add_gap(rendition, span.duration_s)

    def _close(self, rendition: Rendition) -> None:
        if rendition.open is None:
            return
        number, count = rendition.open.number, rendition.open.file_count
        names = [part_key(rendition, number, index) for index in range(count)]
        self.storage.join(segment_key(rendition, number), names)
        self._note_added(rendition.close(self.timeline.duration_s(number)))

    def _add_gap(self, rendition: Rendition, duration_s: float) -> None:
        span = self.timeline.span(rendition.next_number)
        self._note_added(rendition.add_gap(span.duration_s if span else duration_s))

    def _note_added(self, segment: ListedSegment) -> None:
        if floor(segment.duration_s + 0.5) > self.target_duration:
            self.too_long += 1
        self.revision += 1

    def shorten(self) -> bool:
        """Remove the oldest segment, unless live playback needs it. Return whether it did."""
        if self.window.shorten():
            self.revision += 1
            return True
        return False

    def _forget_a_rendition(self) -> bool:
        for name, rendition in self.renditions.items():
            if not rendition.has_parts and name != "video":
                for header in rendition.headers:
                    self.storage.drop(header_key(rendition, header))
                del self.renditions[name]
                return True
        return False

    # Promises of the playlists

    @property
    def main(self) -> Rendition | None:
        """The picture, or the first sound where there is none."""
        video = self.renditions.get("video")
        if video is not None and video.has_parts:
            return video
        return next((r for r in self.renditions.values() if r.has_parts), None)

    def current(self) -> Iterator[Rendition]:
        """Give the renditions that a client is offered now: those of which something came since
        the last discontinuity. While that is recent, those from before it as well."""
        newest = self.timeline.newest_epoch
        for rendition in self.renditions.values():
            is_new = rendition.header.segment >= newest.first
            is_offered = is_new or newest.length_s < _WAIT_S
            if is_offered and (rendition.has_text or rendition.has_begun):
                yield rendition

    @property
    def is_ready(self) -> bool:
        """Whether a first playlist can be given out."""
        main = self.main
        if main is None:
            return False
        if self.is_ended or self.timeline.length_s >= _WAIT_S:
            return True
        if not all(r.has_text or r.has_begun for r in self.renditions.values()):
            return False
        if self._expects:
            return self._expects <= self.renditions.keys()
        return main.name == "video" and any(name.startswith("sound-") for name in self.renditions)

    def settle(self) -> None:
        """Settle what may not change from the first playlist on: program dates, and how far
        clients stay behind."""
        if not self._is_settled:
            self._is_settled = True
            self._lag_s = self._measured_lag_s()
            self._lead_in(self.target_duration)
        self.timeline.settle(self._now_utc())

    def _lead_in(self, target: int) -> None:
        """List gaps before the first segment if it has fewer segments than clients require."""
        if self.window.first_number != FIRST_NUMBER:
            return
        begun = [r for r in self.renditions.values() if r.has_begun]
        listed_s = min((sum(s.duration_s for s in r.segments) for r in begun), default=0.0)
        count = min(ceil(max(3 * target - listed_s, 0) / target), FIRST_NUMBER)
        self.timeline.lead_in(FIRST_NUMBER, count, float(target))
        for number in range(FIRST_NUMBER - 1, FIRST_NUMBER - 1 - count, -1):
            for rendition in self.renditions.values():
                gap = ListedSegment(number, float(target), is_gap=True)
                rendition.segments.appendleft(gap)
        self.window.first_number -= count
        self.revision += 1

    def _measured_lag_s(self) -> float:
        """Return how far the slowest sound is behind the main rendition. A silent one does not
        count."""
        main = self.main
        if main is None:
            return 0.0
        sounds = [r for r in self.renditions.values() if isinstance(r.media, SoundMedia)]
        lags = [self._edge_s(main) - self._edge_s(sound) for sound in sounds]
        return max((lag for lag in lags if lag < SILENCE_S), default=0.0)

    def _edge_s(self, rendition: Rendition) -> float:
        """Return how much of a rendition has come."""
        last = self.timeline.span(rendition.next_number - 1)
        opened = rendition.open
        return (last.until_s if last else 0.0) + (opened.duration_s if opened else 0.0)

    @property
    def part_hold_back_s(self) -> float:
        """How far from the end of a playlist a client plays: three part targets (4.4.3.8), from
        where the slowest sound is. The end is the picture's, and all playlists have to say the
        same (6.2.4)."""
        parts = 3 + (1 + ceil(self._lag_s / self.part_s) if self._lag_s > 0 else 0)
        # Rounded up for clients that round otherwise.
        return ceil(10 * parts * self.part_s) / 10

    @property
    def longest_group_s(self) -> float | None:
        """The longest time between random access points of the segments so far; None while there
        are too few segments."""
        video = self.renditions.get("video")
        return video.longest_group_s if video and video.total_s >= _KNOWN_S else None
