"""Picons in the file: images are small, and stand where nothing has to be named or cleaned up."""

import sqlite3
from dataclasses import dataclass

TOTAL_BYTES = 64 * 1024 * 1024
"""Of all images; the ones that were fetched first make place."""


@dataclass(frozen=True, slots=True)
class StoredPicon:
    """What the receiver said when it was asked."""

    asked_s: int
    png: bytes | None
    """None: it has none."""


def load(connection: sqlite3.Connection, channel_id: str) -> StoredPicon | None:
    """What is known of a channel's picon; None for nothing."""
    row = connection.execute(
        "SELECT asked_s, image FROM picon WHERE channel = ?", (channel_id,)
    ).fetchone()
    return StoredPicon(*row) if row else None


def asked_before(connection: sqlite3.Connection, before_s: int) -> set[str]:
    """Channels in the lineup whose picon was asked for before, or never."""
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
    """Keep it, in place of what was known."""
    connection.execute(
        "INSERT OR REPLACE INTO picon VALUES (?, ?, ?)", (channel_id, picon.asked_s, picon.png)
    )
    connection.execute(
        "DELETE FROM picon WHERE channel IN (SELECT channel FROM (SELECT channel, "
        "sum(length(image)) OVER (ORDER BY asked_s DESC, channel = ? DESC, channel) AS so_far "
        "FROM picon WHERE image IS NOT NULL) WHERE so_far > ?)",
        (channel_id, total_bytes),
    )
