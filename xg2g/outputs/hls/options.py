"""Durations of segments, parts and windows."""

from dataclasses import dataclass
from math import ceil
from typing import Self

_LONGEST_TARGET = 20

_LONGEST_GROUP_S = 5.0
"""Longest time between random access points of a broadcast (ETSI TS 101 154); most have one or two
seconds."""

_UNDER_HALF_S = 0.4
"""A segment may be longer than the target duration by less than half a second (4.4.3.1); its sound
ends a frame later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsOptions:
    """Settings of all HLS outputs."""

    target_s: float = 2.0
    """Length of segments where random access points allow it."""
    part_s: float = 0.333
    """Length of the longest part."""
    window_s: float = 300.0
    """How far back a player can go."""
    space_bytes: int = 1024**3
    """Largest size of the windows of all channels together."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Durations of one output: the packager keeps them, and its playlists promise them."""

    segment_ms: int
    """Length of segments where random access points allow it."""
    part_ms: int
    """Length of the longest part: PART-TARGET."""
    duration: int
    """EXT-X-TARGETDURATION, in seconds."""

    @property
    def longest_ms(self) -> int:
        """Length of the longest segment. A longer group of pictures is cut, and the segment behind
        the cut is no place to begin."""
        return round((self.duration + _UNDER_HALF_S) * 1000)

    @classmethod
    def of(cls, segment_s: float, part_s: float, group_s: float | None = None) -> Self:
        """Choose the target duration, which may never change, for a channel whose longest group of
        pictures is `group_s`; None where it is not known. Clients without low latency play three
        target durations behind."""
        longest = ceil((_LONGEST_GROUP_S if group_s is None else group_s) - _UNDER_HALF_S)
        duration = min(max(ceil(segment_s), longest), _LONGEST_TARGET)
        return cls(round(segment_s * 1000), round(part_s * 1000), duration)
