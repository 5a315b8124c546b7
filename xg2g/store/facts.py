"""Small facts: identities, and how often the content changed."""

import sqlite3
from collections.abc import Callable


def fact(connection: sqlite3.Connection, name: str, make: Callable[[], str]) -> str:
    """The fact of this name; where there is none yet, `make` one and keep it."""
    connection.execute("INSERT OR IGNORE INTO fact VALUES (?, ?)", (name, make()))
    (value,) = connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
    return str(value)


def note(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Keep a fact, in place of the one of this name."""
    connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))


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
