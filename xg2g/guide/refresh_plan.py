"""How far the guide is read at each refresh, and a table of how far it was read before.

Broadcasters change today and tomorrow; of the rest of the week they only add a day at its end. So
every refresh reads the near days, and about once a day one reads all days. After a receiver has
started it gathers its guide: channels whose guide changed much are unsettled, and are read whole
until they settle.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..lineup import Channel

NEAR_DAYS = 2
WHOLE_INTERVAL_S = 20 * 3600
"""Time between two readings of all days: less than a day, so that a daily refresh reads all."""
_UNSETTLED_SHARE = 1 / 4
"""Share of a channel's programmes that changed, above which the channel is unsettled."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of all days of a channel's guide, in seconds since 1970."""

    at_s: int
    until_s: int
    """The end of the guide that was read."""


class RefreshPlan:
    """What one refresh asks for, and what it stores for the next one."""

    def __init__(self, readings: Mapping[str, Reading], *, now_s: int, days: int) -> None:
        """Plan with the `readings` of earlier refreshes, by channel."""
        self._readings = readings
        self._now_s = now_s
        self._days = days
        self._whole: set[str] = set()
        self.received: Counter[str] = Counter()
        self.changed: Counter[str] = Counter()
        """Programmes by channel, which the reader of the guide counts."""

    @property
    def until_s(self) -> int:
        """The end of a guide that is read whole."""
        return self._now_s + self._days * 24 * 3600

    def minutes_for(self, channels: Sequence[Channel]) -> int:
        """Return how far to read the guide of channels that are read together."""
        ids = [channel.id for channel in channels]
        if all(map(self._was_read_lately, ids)):
            return min(NEAR_DAYS, self._days) * 24 * 60
        self._whole.update(ids)
        return self._days * 24 * 60

    def unsettled(self) -> set[str]:
        """Return the channels to read whole the next time."""
        return {
            channel_id
            for channel_id, changed in self.changed.items()
            if changed > self.received[channel_id] * _UNSETTLED_SHARE
        }

    def settled(self) -> set[str]:
        """Return the channels that were read whole and need not be for a while."""
        return self._whole - self.unsettled()

    def _was_read_lately(self, channel_id: str) -> bool:
        reading = self._readings.get(channel_id)
        if reading is None or not 0 <= self._now_s - reading.at_s < WHOLE_INTERVAL_S:
            return False
        # The settings may ask for more days than before.
        return self.until_s - reading.until_s < WHOLE_INTERVAL_S


def load_readings(connection: sqlite3.Connection) -> dict[str, Reading]:
    """Return the last reading of each channel that has one."""
    rows = connection.execute("SELECT channel, at_s, until_s FROM reading")
    return {channel_id: Reading(at_s, until_s) for channel_id, at_s, until_s in rows}


def save_reading(
    connection: sqlite3.Connection, channel_ids: Iterable[str], reading: Reading
) -> None:
    """Store a reading of these channels, in place of their last ones."""
    connection.executemany(
        "INSERT OR REPLACE INTO reading VALUES (?, ?, ?)",
        ((channel_id, reading.at_s, reading.until_s) for channel_id in channel_ids),
    )


def delete_readings(connection: sqlite3.Connection, channel_ids: Iterable[str]) -> None:
    """Delete the last readings of these channels."""
    connection.executemany(
        "DELETE FROM reading WHERE channel = ?", ((channel_id,) for channel_id in channel_ids)
    )
