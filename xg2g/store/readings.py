"""How far the guide of each channel was read when it was last read whole."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """When, and until what time of the guide."""

    at_s: int
    until_s: int


def load(connection: sqlite3.Connection) -> dict[str, Reading]:
    """The reading of each channel that has one."""
    rows = connection.execute("SELECT channel, at_s, until_s FROM reading")
    return {channel_id: Reading(at_s, until_s) for channel_id, at_s, until_s in rows}


def save(connection: sqlite3.Connection, channel_ids: Iterable[str], reading: Reading) -> None:
    """Keep it for these channels, in place of what was known."""
    connection.executemany(
        "INSERT OR REPLACE INTO reading VALUES (?, ?, ?)",
        ((channel_id, reading.at_s, reading.until_s) for channel_id in channel_ids),
    )


def forget(connection: sqlite3.Connection, channel_ids: Iterable[str]) -> None:
    """These channels count as never read."""
    connection.executemany(
        "DELETE FROM reading WHERE channel = ?", ((channel_id,) for channel_id in channel_ids)
    )
