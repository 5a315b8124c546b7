"""The table of picons. Images are small, and in a table they need no names and no cleaning up."""

import sqlite3
from dataclasses import dataclass

TOTAL_BYTES = 64 * 1024 * 1024
"""Limit of all images together; the oldest are deleted."""


@dataclass(frozen=True, slots=True)
class StoredPicon:
    """The receiver's last answer about a picon."""

    asked_s: int
    png: bytes | None
    """None when the receiver has no picon."""


def load(connection: sqlite3.Connection, channel_id: str) -> StoredPicon | None:
    """Return the last answer about a channel's picon, or None."""
    row = connection.execute(
        "SELECT asked_s, image FROM picon WHERE channel = ?", (channel_id,)
    ).fetchone()
    return StoredPicon(*row) if row else None


def asked_before(connection: sqlite3.Connection, before_s: int) -> set[str]:
    """Return the channels in the lineup whose picon was requested before `before_s`, or never."""
    rows = connection.execute(
        "SELECT id FROM channel LEFT JOIN picon ON channel = id "
        "WHERE listed AND coalesce(asked_s, 0) < ?",
        (before_s,),
    )
    return {channel_id for (channel_id,) in rows}


def save(
    connection: sqlite3.Connection,
    channel_id: str,
    picon: StoredPicon,
    total_bytes: int = TOTAL_BYTES,
) -> None:
    """Store an answer in place of the earlier one."""
    connection.execute(
        "INSERT OR REPLACE INTO picon VALUES (?, ?, ?)", (channel_id, picon.asked_s, picon.png)
    )
    connection.execute(
        "DELETE FROM picon WHERE channel IN (SELECT channel FROM (SELECT channel, "
        "sum(length(image)) OVER (ORDER BY asked_s DESC, channel = ? DESC, channel) AS so_far "
        "FROM picon WHERE image IS NOT NULL) WHERE so_far > ?)",
        (channel_id, total_bytes),
    )
