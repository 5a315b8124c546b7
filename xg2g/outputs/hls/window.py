"""The window of a presentation: the oldest segment in its playlists, and the oldest with files."""

from collections import deque
from collections.abc import Mapping

from .rendition import Rendition, header_key, segment_key
from .storage import Storage
from .timeline import Timeline

FIRST_NUMBER = 3
"""Number of the packager's first segment. Gaps precede it: clients want three target durations in a
first playlist, and a whole segment."""

SILENCE_S = 4.0
"""A rendition that is behind the picture by more is silent. The packager says so after 3 s, where
it knows the rendition."""

_MAX_SEGMENTS = 20_000
"""Most segments of a rendition, however short they are."""


class Window:
    """Removes segments from the playlists of all renditions at once, and their files later."""

    def __init__(
        self,
        timeline: Timeline,
        renditions: Mapping[str, Rendition],
        storage: Storage,
        *,
        length_s: float,
        target_duration: int,
    ) -> None:
        """`length_s` is how long segments stay; what live playback needs stays in any case."""
        self.length_s = length_s
        self.first_number = FIRST_NUMBER
        """The oldest listed segment: EXT-X-MEDIA-SEQUENCE of every rendition."""
        self.discontinuity_sequence = 0
        self._timeline = timeline
        self._renditions = renditions
        self._storage = storage
        self._target_duration = target_duration
        self._removed: deque[int] = deque()
        """Segments that are no longer listed and still have files."""

    @property
    def live_s(self) -> float:
        """How much stays listed in any case. Three target durations have to (6.2.2), also of a
        sound that is behind; parts have to stay as long after they left (6.2.2)."""
        return max(6.0 * self._target_duration, 3.0 * self._target_duration + 2 * SILENCE_S)

    @property
    def listed_s(self) -> float:
        """Duration of the listed segments."""
        before = self._timeline.span(self.first_number - 1)
        return self._timeline.reached_s - (before.until_s if before else 0.0)

    @property
    def oldest_kept(self) -> int:
        """The oldest segment that has files, listed or not."""
        return self._removed[0] if self._removed else self.first_number

    @property
    def has_lead_in(self) -> bool:
        """Whether gaps are listed before the first segment."""
        return self.first_number < FIRST_NUMBER

    def trim(self) -> int:
        """Remove segments that are older than the window. Return their number."""
        count = 0
        while (span := self._timeline.span(self.first_number)) is not None:
            wanted_s = max(0.0 if self.has_lead_in else self.length_s, self.live_s)
            is_many = len(self._timeline) > _MAX_SEGMENTS
            if self._timeline.reached_s - span.until_s < wanted_s and not is_many:
                break
            if self._is_awaited():
                break
            self._remove_first()
            count += 1
        self._drop_removed()
        return count

    def shorten(self) -> bool:
        """Remove the oldest segment, unless live playback needs it. Return whether it did."""
        span = self._timeline.span(self.first_number)
        if span is None or self._timeline.reached_s - span.until_s < self.live_s:
            return False
        if self._is_awaited():
            return False
        self._remove_first()
        self._drop_removed()
        return True

    def _is_awaited(self) -> bool:
        """Return whether a rendition is yet to list the oldest segment."""
        return any(it.next_number <= self.first_number for it in self._renditions.values())

    def _remove_first(self) -> None:
        number = self.first_number
        if self._timeline.has_discontinuity(number):
            self.discontinuity_sequence += 1
        self.first_number = number + 1
        self._removed.append(number)
        for rendition in self._renditions.values():
            rendition.remove_until(number)

    def _drop_removed(self) -> None:
        """Drop files of segments that left the playlist a segment's duration ago (6.2.2)."""
        newest = self._timeline.span(self.first_number - 1)
        while newest is not None and len(self._removed) > 1:
            number = self._removed[0]
            span = self._timeline.span(number)
            if span is None or newest.until_s - span.until_s < span.duration_s:
                break
            self._removed.popleft()
            self._timeline.forget(number)
            for rendition in self._renditions.values():
                self._storage.drop(segment_key(rendition, number))
                self._drop_headers(rendition, number)

    def _drop_headers(self, rendition: Rendition, number: int) -> None:
        """Drop initialisation segments that no segment behind `number` needs."""
        while len(rendition.headers) > 1 and rendition.headers[1].segment <= number + 1:
            self._storage.drop(header_key(rendition, rendition.headers.pop(0)))
