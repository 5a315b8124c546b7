"""What to answer to a request for a playlist or a file: at once, later or not at all.

The rules are those of draft-pantos-hls-rfc8216bis-22, 6.2.5.2 and 6.2.6.
"""

import re
from enum import Enum
from math import ceil

from .presentation import Presentation

_LATER_SEGMENTS = 2
"""A client may ask for the segment behind the one that comes next, and for no later one."""

_FILE = re.compile(
    r"(?:header-(?P<header>\d{1,10})\.mp4|(?P<segment>\d{1,10})(?:\.(?P<part>\d{1,5}))?"
    r"\.(?P<extension>m4s|vtt|json))",
    re.ASCII,
)


class Decision(Enum):
    """What to answer."""

    SERVE = "serve"
    WAIT = "wait"
    """Ask again after the next event. After three target durations answer 503."""
    BAD = "bad"
    """400: it is further ahead than a client has reason to ask."""
    MISSING = "missing"
    """404: there is no such thing."""
    GONE = "gone"
    """410: it was there."""


def playlist_decision(
    presentation: Presentation, rendition: str, msn: int | None, part: int | None
) -> Decision:
    """Decide on a media playlist with `_HLS_msn` and `_HLS_part`, where the request has them."""
    if rendition not in presentation.renditions:
        return Decision.MISSING
    if msn is None and part is not None:
        return Decision.BAD
    if presentation.is_ended:
        return Decision.SERVE
    if not presentation.has_begun(rendition):
        return Decision.WAIT
    if msn is None or presentation.has(rendition, msn, part):
        return Decision.SERVE
    number, index = presentation.position(rendition)
    if msn > number - 1 + _LATER_SEGMENTS:
        return Decision.BAD
    # Parts are counted from the last one on, across the end of its segment.
    is_far = part is not None and part >= index + advance_parts(presentation.part_s)
    return Decision.BAD if is_far else Decision.WAIT


def advance_parts(part_s: float) -> int:
    """Return the Advance Part Limit: by how many parts a request may be ahead."""
    return ceil(3 / part_s) if part_s < 1 else 3


def file_decision(presentation: Presentation, rendition: str, name: str) -> Decision:
    """Decide on a file of a rendition. `SERVE`: it was made; the shelf has it, unless it was
    dropped. `WAIT` is for the part that the playlist hints at."""
    listed = presentation.renditions.get(rendition)
    found = _FILE.fullmatch(name)
    if listed is None or found is None:
        return Decision.MISSING
    if found["header"] is not None:
        number = int(found["header"])
        if any(header.segment == number for header in listed.headers):
            return Decision.SERVE
        return Decision.GONE if number < presentation.first_number else Decision.MISSING
    if found["extension"] != listed.extension:
        return Decision.MISSING
    number = int(found["segment"])
    if number < presentation.oldest_kept:
        return Decision.GONE
    if found["part"] is None:
        return Decision.SERVE if number < listed.next_number else Decision.MISSING
    part, (next_number, next_part) = int(found["part"]), presentation.position(rendition)
    if (number, part) < (next_number, next_part):
        return Decision.SERVE
    is_hinted = (number, part) == (next_number, next_part) and not listed.has_text
    return Decision.WAIT if is_hinted and not presentation.is_ended else Decision.MISSING
