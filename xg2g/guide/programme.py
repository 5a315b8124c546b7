"""A programme of a channel, and its texts."""

import re
from dataclasses import dataclass
from typing import Self

from ..receiver.openwebif import Event

_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML forbids (XML 1.0, production 2) or discourages (C1 controls)."""

LONGEST_SUBTITLE = 100
"""Characters; a longer short text is a summary."""


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme from `begin_s` to `end_s`, in seconds since 1970 (UTC).

    Clients identify programmes by channel and begin, for recordings as well.
    """

    begin_s: int
    end_s: int
    """Equals `begin_s` in a received programme whose end is unknown."""
    event: int
    """Id of the broadcast event, unique within its service for a while."""
    title: str
    short: str
    long: str
    genre: int | None
    """content_nibble levels 1 and 2 (EN 300 468, table 28) as one byte."""

    @property
    def is_open(self) -> bool:
        """Whether its end is unknown."""
        return self.end_s <= self.begin_s

    @classmethod
    def from_event(cls, event: Event) -> Self:
        """Make a programme of an event, without characters that XML cannot contain."""
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
