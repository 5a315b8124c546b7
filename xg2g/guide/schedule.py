"""How much of the guide is asked for each time: what is near always, what is far once in a while.

Broadcasters change today and tomorrow; the rest of the week changes by a day that comes in at its
end. So near days are read at every refresh, and all of them about once a day. Channels of which a
reading brought much that is new are in motion, as all are after a receiver has started and gathers
its guide: they are read whole until they rest.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from ..lineup import Channel
from ..store.readings import Reading

NEAR_DAYS = 2
REST_S = 20 * 3600
"""How long far days are left alone: a refresh once a day always reads all."""
_MOTION = 4
"""More than one in so many programmes that changed is motion."""


class Schedule:
    """Of one refresh: what to ask for, and what that means for the next."""

    def __init__(self, readings: Mapping[str, Reading], *, now_s: int, days: int) -> None:
        """`readings` are those of the refreshes before, by channel."""
        self._readings = readings
        self._now_s = now_s
        self._days = days
        self._whole: set[str] = set()
        self.received: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()
        """Programmes by channel, counted by whoever reads and stores them."""

    @property
    def until_s(self) -> int:
        """Where a guide that is read whole ends."""
        return self._now_s + self._days * 24 * 3600

    def minutes_for(self, channels: Sequence[Channel]) -> int:
        """How far to read the guide of channels that are asked for together."""
        ids = [channel.id for channel in channels]
        if all(map(self._rests, ids)):
            return min(NEAR_DAYS, self._days) * 24 * 60
        self._whole.update(ids)
        return self._days * 24 * 60

    def in_motion(self) -> set[str]:
        """Channels to read whole the next time."""
        return {
            channel_id
            for channel_id, changed in self.changed.items()
            if changed * _MOTION > self.received[channel_id]
        }

    def settled(self) -> set[str]:
        """Channels that were read whole, and need not be for a while."""
        return self._whole - self.in_motion()

    def _rests(self, channel_id: str) -> bool:
        reading = self._readings.get(channel_id)
        if reading is None or not 0 <= self._now_s - reading.at_s < REST_S:
            return False
        # More days than before are wanted.
        return self.until_s - reading.until_s < REST_S
