"""How long segments and parts are."""

from dataclasses import dataclass
from math import ceil
from typing import Self

_LONGEST_TARGET = 20

_LONGEST_GROUP_S = 5.0
"""Between random access points of a broadcast, at most (ETSI TS 101 154); most have one or two
seconds."""

_UNDER_HALF_S = 0.4
"""A segment may be longer than the target duration by less than half a second (4.4.3.1); its sound
ends a frame later."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What the packager is told, and playlists promise."""

    segment_ms: int
    """Length of segments where random access points allow it."""
    part_ms: int
    """The longest part: PART-TARGET."""
    duration: int
    """EXT-X-TARGETDURATION, in seconds."""

    @property
    def longest_ms(self) -> int:
        """The longest segment. A group of pictures that is longer is cut, and what follows the cut
        is no place to begin."""
        return round((self.duration + _UNDER_HALF_S) * 1000)

    @classmethod
    def of(cls, segment_s: float, part_s: float, group_s: float | None = None) -> Self:
        """Choose the target duration, which may never change, for a channel whose longest group of
        pictures is `group_s`; None where it is not known. Clients without low latency play three
        target durations behind."""
        longest = ceil((_LONGEST_GROUP_S if group_s is None else group_s) - _UNDER_HALF_S)
        duration = min(max(ceil(segment_s), longest), _LONGEST_TARGET)
        return cls(round(segment_s * 1000), round(part_s * 1000), duration)
