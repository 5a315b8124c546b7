"""Small facts: identities, and how often the content changed."""

import sqlite3
from collections.abc import Callable
from typing import Final

GUIDE_READ_S: Final = "guide_read_s"
"""Name of the fact when the guide was last read to its end, in seconds since 1970."""


def fact(connection: sqlite3.Connection, name: str, make: Callable[[], str]) -> str:
    """The fact of this name; where there is none yet, `make` one and keep it."""
    connection.execute("INSERT OR IGNORE INTO fact VALUES (?, ?)", (name, make()))
    (value,) = connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
    return str(value)


def note(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Keep a fact, in place of the one of this name."""
    connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))


def guide_was_read(connection: sqlite3.Connection) -> bool:
    """Tell whether the receiver's guide was read to its end once."""
    rows = connection.execute("SELECT 1 FROM fact WHERE name = ?", (GUIDE_READ_S,))
    return rows.fetchone() is not None


def bump(connection: sqlite3.Connection, generation: str) -> None:
    """Count a change of the content that a generation stands for."""
    connection.execute(
        "UPDATE fact SET value = CAST(value AS INTEGER) + 1 WHERE name = ?", (generation,)
    )


def generation(connection: sqlite3.Connection) -> str:
    """A word that is the same exactly as long as lineup and guide are."""
    rows = connection.execute(
        "SELECT value FROM fact WHERE name IN ('file', 'lineup', 'guide') ORDER BY name"
    )
    return "-".join(value for (value,) in rows)
