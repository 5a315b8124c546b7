"""The time line of a presentation: durations and program dates of its segments."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

_REANCHOR_S = 1.0
"""Behind a discontinuity, program dates follow the clock where it has gone ahead by more."""


@dataclass(frozen=True, slots=True)
class Span:
    """The time of a segment number, which all renditions share."""

    leader: str
    """The rendition that told it."""
    decode_s: float
    duration_s: float
    until_s: float = 0.0
    """Sum of all durations up to its end."""


@dataclass(slots=True)
class Epoch:
    """Segments between two discontinuities."""

    first: int
    anchor: datetime | None = None
    """Program date of its beginning; None until the first playlist is given out."""
    length_s: float = 0.0
    """How much of it has come."""


class Timeline:
    """Spans of segments by their numbers, and the epochs that they lie in."""

    def __init__(self) -> None:
        self._spans: dict[int, Span] = {}
        """In the order of their numbers."""
        self._starts: dict[int, float] = {}
        """Beginnings of segments, in seconds of their epoch."""
        self._epochs: list[Epoch] = []

    def __len__(self) -> int:
        return len(self._spans)

    @property
    def reached_s(self) -> float:
        """Sum of all durations."""
        return next(reversed(self._spans.values())).until_s if self._spans else 0.0

    @property
    def length_s(self) -> float:
        """How much of the stream has come, segments under way included."""
        return sum(epoch.length_s for epoch in self._epochs)

    @property
    def leader(self) -> str | None:
        """The rendition that told the newest span."""
        newest = next(reversed(self._spans.values()), None)
        return newest.leader or None if newest else None

    @property
    def newest_epoch(self) -> Epoch:
        """The epoch since the latest discontinuity."""
        return self._epochs[-1] if self._epochs else Epoch(0)

    def span(self, number: int) -> Span | None:
        """Return the span of a segment; None while it is not known, or no longer."""
        return self._spans.get(number)

    def duration_s(self, number: int) -> float:
        """Return the duration of a segment; 0 while it is not known."""
        span = self._spans.get(number)
        return span.duration_s if span else 0.0

    def start(self, number: int, rendition: str, decode_s: float) -> None:
        """Note the first decode time of a segment that any rendition tells; later ones are
        ignored."""
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

    def extend(self, number: int, duration_s: float) -> None:
        """Note that so much of a segment has come."""
        epoch = self._epoch_of(number)
        epoch.length_s = max(epoch.length_s, self._starts[number] + duration_s)

    def add(self, number: int, span: Span, *, first: int) -> bool:
        """Add the span of a segment, and empty ones for missing numbers from `first` on. Return
        False if the number has one."""
        newest = next(reversed(self._spans), first - 1)
        if number <= newest:
            return False
        for missing in range(newest + 1, number):
            # No rendition has a segment of it.
            self.start(missing, span.leader, span.decode_s)
            self._spans[missing] = Span(span.leader, span.decode_s, 0.0, self.reached_s)
        self.start(number, span.leader, span.decode_s)
        self._spans[number] = replace(span, until_s=self.reached_s + span.duration_s)
        self.extend(number, span.duration_s)
        return True

    def lead_in(self, first: int, count: int, duration_s: float) -> None:
        """Put gaps of this duration in front of segment `first`."""
        gaps: dict[int, Span] = {}
        for back in range(count, 0, -1):
            gaps[first - back] = Span("", 0.0, duration_s, until_s=-duration_s * (back - 1))
            self._starts[first - back] = -duration_s * back
        self._spans = gaps | self._spans

    def forget(self, number: int) -> None:
        """Forget a segment, and epochs that have none left."""
        del self._spans[number]
        self._starts.pop(number, None)
        while len(self._epochs) > 1 and self._epochs[1].first < min(self._starts, default=0):
            del self._epochs[0]

    # Epochs and program dates

    def begin_epoch(self, number: int, now: datetime) -> bool:
        """Begin an epoch with a segment. Return False if it has begun."""
        if any(epoch.first >= number for epoch in self._epochs):
            return False
        epoch = Epoch(number)
        if self._epochs and self._epochs[-1].anchor is not None:
            before = self._epochs[-1]
            ended = self._epochs[-1].anchor + timedelta(seconds=before.length_s)
            epoch.anchor = now if now > ended + timedelta(seconds=_REANCHOR_S) else ended
        self._epochs.append(epoch)
        return True

    def has_discontinuity(self, number: int) -> bool:
        """Return whether a segment does not continue the one before it."""
        return any(epoch.first == number for epoch in self._epochs[1:])

    def settle(self, now: datetime) -> None:
        """Settle program dates: the newest part that has come is dated now."""
        begin = now
        for epoch in reversed(self._epochs):
            if epoch.anchor is not None:
                break
            begin = epoch.anchor = begin - timedelta(seconds=epoch.length_s)

    def program_date(self, number: int) -> datetime | None:
        """Return when a segment begins: the wall clock when the first picture came, and from there
        on the time that the pictures tell. Behind a discontinuity the clock is read anew. None
        before `settle`."""
        epoch, start_s = self._epoch_of(number), self._starts.get(number)
        if epoch.anchor is None:
            return None
        if start_s is None:
            start_s = self._starts.get(number - 1, 0.0) + self.duration_s(number - 1)
        return epoch.anchor + timedelta(seconds=start_s)

    def _epoch_of(self, number: int) -> Epoch:
        if not self._epochs:
            self._epochs.append(Epoch(number))
        return next((e for e in reversed(self._epochs) if e.first <= number), self._epochs[0])
