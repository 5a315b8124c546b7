"""A programme of a channel."""

import re
from dataclasses import dataclass
from typing import Self

from ..receiver.openwebif import Event

_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may hold (XML 1.0, production 2), or should not (its C1 controls)."""

LONGEST_SUBTITLE = 100
"""Characters; a longer short text is a summary."""


@dataclass(frozen=True, slots=True)
class Programme:
    """What a channel shows from `begin_s` to `end_s`, in seconds since 1970 (UTC).

    Begin and channel together are what clients know a programme by, recordings included.
    """

    begin_s: int
    end_s: int
    """`begin_s` in one that was just received and does not tell its end."""
    event: int
    """The broadcast event's id, unique within its service for a while."""
    title: str
    short: str
    long: str
    genre: int | None
    """content_nibble levels 1 and 2 (EN 300 468, table 28) as one byte."""

    @property
    def is_open(self) -> bool:
        """Its end is not told."""
        return self.end_s <= self.begin_s

    @classmethod
    def of(cls, event: Event) -> Self:
        """The programme that an event is, without what XML cannot hold."""
        begin_s = int(event.begin.timestamp())
        return cls(
            begin_s=begin_s,
            end_s=begin_s + (max(1, int(event.duration.total_seconds())) if event.duration else 0),
            event=event.id,
            title=_NOT_XML.sub("", event.title),
            short=_NOT_XML.sub("", event.short),
            long=_NOT_XML.sub("", event.long),
            genre=event.genre_id,
        )


def split_texts(title: str, short: str, long: str) -> tuple[str, str]:
    """Return sub-title and description: broadcasters use the short text for either."""
    short, long = short.strip(), long.strip()
    if short == title:
        short = ""
    if not long:
        is_sentence = len(short) > LONGEST_SUBTITLE or "\n" in short or short.endswith((".", "!"))
        return ("", short) if is_sentence else (short, "")
    if long.startswith(short):
        # The long text continues the short one, which was cut off.
        is_own_line = re.match(r"\s*\n", long[len(short) :])
        return (short, long[len(short) :].strip()) if short and is_own_line else ("", long)
    if len(short) <= LONGEST_SUBTITLE and "\n" not in short:
        return short, long
    return "", f"{short}\n{long}"
