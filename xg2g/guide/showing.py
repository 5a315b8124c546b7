"""Tells live broadcasts, premieres, new episodes and repeats by genre and texts."""

import re
from dataclasses import dataclass
from typing import Final

LIVE_GENRE: Final = 0xB3
"""Special characteristics, live broadcast (EN 300 468, table 28)."""

_BEGINNING: Final = 200
"""Characters of a description that are searched: the rest may be about another programme."""

_LIVE: Final = frozenset(
    {
        "live",
        "live-übertragung",
        "liveübertragung",
        "live-sendung",
        "en direct",
        "in diretta",
        "en directo",
        "rechtstreeks",
    }
)
_PREMIERE: Final = frozenset(
    {
        "premiere",
        "tv-premiere",
        "free-tv-premiere",
        "deutsche tv-premiere",
        "deutschlandpremiere",
        "première",
        "prima tv",
        "prima visione tv",
    }
)
_NEW: Final = frozenset(
    {
        "new",
        "neu",
        "neue folge",
        "neue folgen",
        "erstausstrahlung",
        "deutsche erstausstrahlung",
        "erstsendung",
        "inédit",
        "new series",
        "new episode",
    }
)
_REPEAT: Final = frozenset(
    {
        "wh",
        "whg",
        "wdh",
        "wiederholung",
        "repeat",
        "rediffusion",
        "replica",
        "herhaling",
        "genudsendelse",
    }
)
_REPEAT_OF: Final = re.compile(
    r"(?:wiederholung|wdh\.?|wh\.?|repeat) (?:vom|von|from|of) [^,;]{1,40}"
)

_PIECES: Final = re.compile(r"[,;|•·\n()\[\]]|\s[-–/]\s")
"""Separators between remarks."""
_PREFIX: Final = re.compile(r"(live|new|neu|premiere|tv-premiere)\s?:\s")
_SUFFIX: Final = re.compile(r"\s[(\[](live|neu|new|wh\.?|wdh\.?)[)\]]$")
_REPEAT_SIGN: Final = re.compile(r"[(\[]r[)\]]")
_HINT: Final = re.compile(
    r"live|n dire|rechtst|premi|prima |neu|new|erstau|erstse|inédit|wh\.|whg|\(wh|wdh|wiederh"
    r"|repeat|redif|replica|herhal|genud|[(\[]r[)\]]"
)
"""Every remark contains one of these."""


@dataclass(frozen=True, slots=True)
class Showing:
    """What is known about a showing; all False when genre and texts tell nothing."""

    live: bool = False
    premiere: bool = False
    """The broadcaster calls it a first showing."""
    new: bool = False
    """The broadcaster calls it a new episode."""
    repeat: bool = False
    """It was shown before; never together with `live`, `premiere` or `new`."""


NOTHING_KNOWN: Final = Showing()


def find_showing(title: str, short: str, long: str, genre: int | None) -> Showing:
    """Return what genre and texts tell. A remark counts only if it stands alone: "Live" between
    commas, brackets or line breaks, not "Live in Concert". If texts contradict each other, nothing
    is known."""
    remarks = _remarks(title.lower(), short.lower(), long[:_BEGINNING].lower())
    if not remarks and genre != LIVE_GENRE:
        return NOTHING_KNOWN
    live = genre == LIVE_GENRE or bool(remarks & _LIVE)
    premiere, new = bool(remarks & _PREMIERE), bool(remarks & _NEW)
    repeat = bool(remarks & _REPEAT) or any(_REPEAT_OF.fullmatch(each) for each in remarks)
    if repeat and (live or premiere or new):
        return NOTHING_KNOWN
    return Showing(live, premiere, new, repeat)


def _remarks(title: str, short: str, long: str) -> set[str]:
    remarks = set()
    if match := _PREFIX.match(title):
        remarks.add(match[1])
    if match := _SUFFIX.search(title):
        remarks.add(match[1].strip("."))
    if _REPEAT_SIGN.search(title):
        remarks.add("repeat")
    for text in (short, long):
        # Most texts have no remarks, and splitting them is slow.
        if _HINT.search(text):
            remarks.update(piece.strip(" .!:") for piece in _PIECES.split(text))
            if _REPEAT_SIGN.search(text):
                remarks.add("repeat")
    return remarks
