"""Is what a viewer got still a valid transport stream, with the right sound at the right time?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.oracle.audio_sync import compare, decode_track
from tests.oracle.transport import Packets, pmts
from tests.oracle.ts_checker import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.oracle.audio_sync import Decoded

VERSIONS = ("pmt_version", "pat_version")
"""A remuxer that takes over gives its tables another version though they say the same, so that
players read them again. The checker counts that, and here it is what is wanted."""

FIRST_UNIT = "tstd_late"
"""The first unit of sound behind a splice may come a little late. Counted apart, one a failover."""


@dataclass(frozen=True)
class Verdict:
    """On a slice of a stream."""

    label: str
    errors: dict[str, tuple[int, int]] = field(default_factory=dict)
    """What the output has more of than the source: kind -> (output, source)."""
    sync_ms: float = 0.0
    correlation: float = 1.0
    gap_s: float = 0.0
    """Longest part of the source's sound that is missing."""
    late_units: int = 0
    """First units behind a failover that came late."""


def judge(outputs: Mapping[str, bytes], source: bytes, takeovers: int) -> list[Verdict]:
    """Compare slices of several viewers of a channel with the same time of the source, which
    reaches a little further."""
    reference = check(source)
    packets = Packets(source)
    tables = max(len({pmt.program for pmt in pmts(packets)}), 1)
    sounds: dict[int, list[Decoded]] = {}
    verdicts = []
    for label, output in outputs.items():
        worse = check(output).worse_than(reference)
        for kind in VERSIONS:
            if worse.get(kind, (0, 0))[0] <= takeovers * tables:
                worse.pop(kind, None)
        late_units, of_source = worse.get(FIRST_UNIT, (0, 0))
        if 0 < late_units - of_source <= takeovers:
            worse.pop(FIRST_UNIT)
        sync_ms, correlation, gap_s = _sound(Packets(output), packets, sounds)
        late_units -= of_source
        verdicts.append(Verdict(label, worse, sync_ms, correlation, gap_s, late_units))
    return verdicts


def _sound(
    output: Packets, source: Packets, decoded: dict[int, list[Decoded]]
) -> tuple[float, float, float]:
    """Offset in ms, correlation and longest gap of the first track that was converted; `decoded`
    keeps the source's for the next viewer."""
    programs = pmts(output)
    for stream in programs[0].streams if programs else ():
        ours = decode_track(output, stream.pid)
        if ours is None or ours.codec != "aac":
            continue
        if stream.pid not in decoded:
            track = decode_track(source, stream.pid)
            decoded[stream.pid] = track.decoded if track else []
        # What lies outside of the output's time is not missing.
        first, last = ours.decoded[0].pts_90k, ours.decoded[-1].pts_90k
        within = [unit for unit in decoded[stream.pid] if first <= unit.pts_90k <= last]
        if within:
            found = compare(within, ours.decoded, (0, 0.25, 0.5, 0.75, 1))
            return found.offset_ms, found.correlation, found.longest_gap_s
    return float("inf"), 0.0, float("inf")
