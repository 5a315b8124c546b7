"""Which kind of showing a programme is, where genre or texts say so beyond doubt."""

import re
from dataclasses import dataclass
from typing import Final

LIVE_GENRE: Final = 0xB3
"""Special characteristics, live broadcast (EN 300 468, table 28)."""

_BEGINNING: Final = 200
"""Characters of a description that are searched: further in, another programme may be meant."""

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
"""What broadcasters put between remarks."""
_PREFIX: Final = re.compile(r"(live|new|neu|premiere|tv-premiere)\s?:\s")
_SUFFIX: Final = re.compile(r"\s[(\[](live|neu|new|wh\.?|wdh\.?)[)\]]$")
_REPEAT_SIGN: Final = re.compile(r"[(\[]r[)\]]")
_HINT: Final = re.compile(
    r"live|n dire|rechtst|premi|prima |neu|new|erstau|erstse|inédit|wh\.|whg|\(wh|wdh|wiederh"
    r"|repeat|redif|replica|herhal|genud|[(\[]r[)\]]"
)
"""In every remark there is one of these."""


@dataclass(frozen=True, slots=True)
class Showing:
    """What is known of a showing; all False where nothing is said."""

    live: bool = False
    premiere: bool = False
    """Shown for the first time, in the broadcaster's words."""
    new: bool = False
    """An episode that was not shown before."""
    repeat: bool = False
    """Shown before; never together with `live`, `premiere` or `new`."""


NOTHING_KNOWN: Final = Showing()


def find_showing(title: str, short: str, long: str, genre: int | None) -> Showing:
    """Return what genre and texts say. A remark counts only where it stands alone: "Live" between
    commas, brackets or line breaks, not "Live in Concert". Where texts contradict each other
    nothing is known."""
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
        # Most texts say nothing, and taking them apart is slow.
        if _HINT.search(text):
            remarks.update(piece.strip(" .!:") for piece in _PIECES.split(text))
            if _REPEAT_SIGN.search(text):
                remarks.add("repeat")
    return remarks
