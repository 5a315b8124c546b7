"""The line that `xg2g remux` ends with."""

from collections.abc import Iterator

from xg2g_backends.base import RemuxStats, TrackState, TrackStats

_UNCHANGED = {
    TrackState.PASSING_AAC: "AAC already",
    TrackState.SCRAMBLED: "scrambled",
    TrackState.UNSUPPORTED: "of a codec that is not converted",
    TrackState.DROPPED: "left out",
    TrackState.WAITING: "announced and not sent",
}


def summary(counters: RemuxStats, seconds: float) -> str:
    """Return what was converted, what stayed, how long it took, and what was repaired."""
    converted = [track for track in counters.tracks if track.state is TrackState.CONVERTING]
    names = ", ".join(map(_name, converted))
    parts = [
        f"converted {names} to AAC" if converted else "converted no sound",
        *_unchanged(counters),
        f"{counters.bytes_in / 1e6:.1f} MB in {seconds:.1f} s",
        f"repaired: {', '.join(_repairs(counters)) or 'nothing'}",
    ]
    return "; ".join(parts)


def _unchanged(counters: RemuxStats) -> Iterator[str]:
    for state, what in _UNCHANGED.items():
        if tracks := [track for track in counters.tracks if track.state is state]:
            yield f"{', '.join(map(_name, tracks))} {what}"


def _repairs(counters: RemuxStats) -> Iterator[str]:
    tracks = counters.tracks
    amounts = (
        (counters.continuity_errors, "gap of lost packets", "gaps of lost packets"),
        (counters.transport_errors, "packet marked as damaged", "packets marked as damaged"),
        (counters.bytes_skipped, "byte between packets", "bytes between packets"),
        (counters.psi_errors, "damaged table", "damaged tables"),
        (sum(it.decode_errors for it in tracks), "damaged audio frame", "damaged audio frames"),
    )
    for count, one, several in amounts:
        if count:
            yield f"{count} {one if count == 1 else several}"
    if silence_ms := sum(track.silence_ms for track in tracks):
        yield f"{silence_ms / 1000:.1f} s of silence filled in"


def _name(track: TrackStats) -> str:
    return " ".join(word for word in (track.codec or "sound", track.language) if word)
