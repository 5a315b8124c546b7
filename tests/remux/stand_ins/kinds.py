"""What the captures show, kind by kind, and which stream that every clone has shows it, too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tests.oracle.transport import PTS_MODULUS, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracle.transport import Stream
    from tests.remux.recordings import Recording

_CLOCK_GAP_27M = 27_000_000 * 6 // 100
_HOUR_90K = 90_000 * 3600
_VIDEO = {0x02, 0x1B, 0x24}


@dataclass(frozen=True)
class Kind:
    """A kind of stream: how to see that one is of it, and which ones are."""

    name: str
    is_shown_by: Callable[[Recording], bool] = field(repr=False)
    captures: tuple[str, ...]
    clips: tuple[str, ...] = ()
    """Clips of the simulated receiver. Where there is none, the stand-ins for the captures show
    it."""


def _entries(tape: Recording) -> list[Stream]:
    return [stream for pmt in tape.pmts for stream in pmt.streams]


def _has(tape: Recording, *tags: int) -> bool:
    found = [{tag for tag, _ in stream.all_descriptors()} for stream in _entries(tape)]
    return any(set(tags) <= each for each in found)


def _types(tape: Recording) -> set[int]:
    return {stream.stream_type for stream in _entries(tape)}


def _programs(tape: Recording) -> set[int]:
    return {pmt.program for pmt in tape.pmts}


def _codes(tape: Recording) -> set[bytes]:
    bodies = [stream.descriptor(0x0A) or b"" for stream in _entries(tape)]
    return {body[:3] for body in bodies if body}


def _coded(codec: str, channels: int) -> Callable[[Recording], bool]:
    return lambda tape: any(
        (track.codec, track.channels) == (codec, channels) for track in tape.tracks.values()
    )


def _eac3(tape: Recording) -> bool:
    units = [t.units[0].data for t in tape.tracks.values() if t.codec == "ac3"]
    return any(data[5] >> 3 > 10 for data in units)


def _is_scrambled(tape: Recording) -> set[int]:
    marked = tape.packets.pid[(tape.packets.scrambling > 0) & (tape.packets.tei == 0)]
    return {int(pid) for pid in np.unique(marked)}


def _lost(tape: Recording) -> int:
    return sum(count for (kind, _), count in tape.report.errors.items() if kind == "cc")


def _is_silent(tape: Recording) -> bool:
    return bool(tape.declared_audio - tape.packets.pids())


def _astride(tape: Recording) -> bool:
    """A PES packet begins in the middle of an access unit."""
    for pid, track in tape.tracks.items():
        starts = set(np.flatnonzero((tape.packets.pid == pid) & (tape.packets.pusi == 1)).tolist())
        for unit in track.units[:20]:
            if starts & set(range(unit.first_packet + 1, unit.last_packet + 1)):
                return True
    return False


def _is_off_the_clock(tape: Recording) -> bool:
    """A PES packet begins with a PTS that is hours from the clock."""
    packets = tape.packets
    clocks = packets.pcr_27m[packets.pcr_27m >= 0]
    if not len(clocks):
        return False
    now_90k = int(clocks[len(clocks) // 2]) // 300
    starts = np.flatnonzero((packets.pusi == 1) & packets.has_payload & (packets.tei == 0))
    for index in starts:
        payload = packets.payload(int(index))
        if payload[:3] == b"\0\0\1" and payload[7:8] >= b"\x80" and len(payload) > 14:
            five = payload[9:14]
            pts_90k = (five[0] >> 1 & 7) << 30 | five[1] << 22 | five[2] >> 1 << 15
            if abs(signed(pts_90k - now_90k, PTS_MODULUS)) > _HOUR_90K:
                return True
    return False


def _wraps(tape: Recording) -> bool:
    clocks = tape.packets.pcr_27m[tape.packets.pcr_27m >= 0]
    return bool((np.diff(clocks) < -(2**32) * 300).any())


def _clock_gap(tape: Recording) -> bool:
    clocks = tape.packets.pcr_27m[tape.packets.pcr_27m >= 0]
    return bool((np.diff(clocks) > _CLOCK_GAP_27M).any())


def _changes(tape: Recording) -> bool:
    layouts = {(p.program, tuple(s.pid for s in p.streams)) for p in tape.pmts}
    return len(layouts) > len(_programs(tape))


def _channels_change(codec: str) -> Callable[[Recording], bool]:
    def is_shown(tape: Recording) -> bool:
        tracks = [track for track in tape.tracks.values() if track.codec == codec]
        return any(
            len({len(unit.data) // 300 for unit in track.units}) > 1 and track.channels == 6
            for track in tracks
        )

    return is_shown


def _is_mislabelled(declared: int, codec: str) -> Callable[[Recording], bool]:
    return lambda tape: any(
        stream.stream_type == declared and tape.coding(stream.pid) == codec
        for stream in _entries(tape)
    )


def _named_twice(tape: Recording) -> bool:
    pids = [[stream.pid for stream in pmt.streams] for pmt in tape.pmts[:1]]
    return any(len(set(each)) < len(each) for each in pids)


def _tables_are_late(tape: Recording) -> bool:
    first = [pmt.section.packet for pmt in tape.pmts[:1]]
    return bool(first) and first[0] > len(tape.packets) // 3


def _stride_204(tape: Recording) -> bool:
    return len(tape.source) // 204 == len(tape.packets) or tape.source[204:205] == b"\x47"


FRENCH = "tnt-fr-eac3x3-dvbsub"
ITALIAN = "dvbt-it-mux-8prog-mp2-hevc-hbbtv"
AUSTRALIAN = "dvbt-au-mpeg2v-mp2-latmAD-teletext"

KINDS = (
    Kind("H.264", lambda t: 0x1B in _types(t), (FRENCH, "tnt-fr-2prog-ac3-dvbsub"), ("one-hd",)),
    Kind("HEVC", lambda t: 0x24 in _types(t), (ITALIAN, "hevc-aac-scte35"), ("hevc",)),
    Kind("MPEG-2 video", lambda t: 0x02 in _types(t), (ITALIAN, AUSTRALIAN), ("mpeg2",)),
    Kind("MP2 in stereo", _coded("mp2", 2), ("h264-mp1a-10s", AUSTRALIAN), ("one-hd",)),
    Kind("MP2 in mono", _coded("mp2", 1), ("dvb-h264-mp1a-dvbsub-from-t2mi",), ("one-hd",)),
    Kind("AC-3 in stereo", _coded("ac3", 2), ("tnt-fr-1prog-ac3-ccerr",)),
    Kind("AC-3 in 5.1", _coded("ac3", 6), ("ac3-51-448k", "ac3-51-640k-36s"), ("one-hd",)),
    Kind("AC-3 of four channels", _coded("ac3", 4), ("ac3-40",)),
    Kind("E-AC-3", _eac3, (FRENCH, "eac3-51-1536k", "eac3-joc-atmos"), ("two-hd",)),
    Kind("AAC in LATM", _coded("aac_latm", 2), (AUSTRALIAN,), ("three-latm",)),
    Kind("HE-AAC in 5.1 in LATM", _coded("aac_latm", 6), ("heaac-51-latm",)),
    Kind("HE-AACv2 in LATM", _coded("aac_latm", 2), ("heaacv2-ps-latm",)),
    Kind("HE-AACv2 in ADTS", _coded("aac", 2), ("heaacv2-ps-adts",)),
    Kind("AAC in ADTS", _coded("aac", 2), ("pts-wrap-aac-h264-10seg",)),
    Kind("DTS", lambda t: any(x.codec == "dts" for x in t.tracks.values()), ("dts-hd-ma",)),
    Kind("AC-4", lambda t: _has(t, 0x7F) and not t.tracks, ("ac4",)),
    Kind("TrueHD", lambda t: 0x83 in _types(t), ("truehd-51",)),
    Kind("AC-3 that changes its channels", _channels_change("ac3"), ("ac3-51-20-51-switch",)),
    Kind(
        "LATM that changes its channels",
        _channels_change("aac_latm"),
        ("latm-stereo-to-51-switch",),
    ),
    Kind("several languages", lambda t: len(_codes(t)) > 1, (ITALIAN, FRENCH), ("languages",)),
    Kind("supplementary audio", lambda t: _has(t, 0x7F), (FRENCH, AUSTRALIAN), ("one-hd",)),
    Kind(
        "audio_type of a description",
        lambda t: any((s.descriptor(0x0A) or b"\0")[-1] == 3 for s in _entries(t)),
        ("mp2-audiotype3-AD",),
        ("one-hd", "two-hd"),
    ),
    Kind("DVB subtitles", lambda t: _has(t, 0x59), (FRENCH, "dvbsub-rs204"), ("subtitles",)),
    Kind("teletext", lambda t: _has(t, 0x56), (ITALIAN, AUSTRALIAN), ("one-hd", "subtitles")),
    Kind("SCTE 35", lambda t: 0x86 in _types(t), ("hevc-aac-scte35", "pmt-change-ac3x3-atsc")),
    Kind("applications", lambda t: _has(t, 0x6F), (ITALIAN, AUSTRALIAN), ("one-hd",)),
    Kind("several programs", lambda t: len(_programs(t)) > 1, (ITALIAN, "tnt-fr-2prog-ac3-dvbsub")),
    Kind(
        "radio",
        lambda t: any(
            p.pcr_pid in t.declared_audio and not {s.stream_type for s in p.streams} & _VIDEO
            for p in t.pmts
        ),
        (ITALIAN,),
        ("four-radio",),
    ),
    Kind(
        "the clock on a PID of its own",
        lambda t: any(p.pcr_pid not in {s.pid for s in p.streams} for p in t.pmts),
        (AUSTRALIAN,),
    ),
    Kind(
        "no clock",
        lambda t: {p.pcr_pid for p in t.pmts} == {0x1FFF},
        ("pmtlie-aac-as-0x04-h264-12s",),
    ),
    Kind("a gap of the clock", _clock_gap, ("tnt-fr-eac3-lossy-6s",)),
    Kind("the wrap of the clock", _wraps, ("pts-wrap-aac-h264-10seg",)),
    Kind(
        "time stamps of another day", _is_off_the_clock, (ITALIAN, "dvb-h264-mp1a-dvbsub-from-t2mi")
    ),
    Kind("access units astride PES packets", _astride, (ITALIAN, AUSTRALIAN)),
    Kind(
        "a stream of ffmpeg's muxer",
        lambda t: t.pmt_pids == {0x1000} and {s.pid for s in _entries(t)} == {256, 257},
        ("h264-ac3-de-16s", "h264-mp1a-10s"),
    ),
    Kind("a PMT that moves its PIDs", _changes, ("pmt-change-ac3x3-atsc",), ("six-changes",)),
    Kind("a PID that is named twice", _named_twice, ("atsc-dup-pid-mp2-and-ac3",)),
    Kind("AAC called MP2", _is_mislabelled(0x04, "aac"), ("pmtlie-aac-as-0x04-h264-12s",)),
    Kind(
        "LATM called ADTS",
        _is_mislabelled(0x0F, "aac_latm"),
        ("pmtlie-latm-as-0x0f-hevc-leadbyte",),
    ),
    Kind(
        "declared sound that does not come",
        _is_silent,
        ("dvb-fr-pmt-4xmp2-silent-teletext", "hevc-aac-scte35"),
        ("one-hd",),
    ),
    Kind("tables that come late", _tables_are_late, ("middle-pat-pmt",)),
    Kind("no tables", lambda t: 0 not in t.packets.pids(), ("teletext-only-nopsi",)),
    Kind(
        "tables that are never valid",
        lambda t: bool(t.pmt_pids) and not t.pmts,
        ("corrupt-capture-tei-crc-pcrjumps",),
    ),
    Kind(
        "a scrambled service",
        lambda t: bool(_is_scrambled(t)) and not t.tracks,
        ("tnt-fr-eac3x3-dvbsub-scrambled-csa",),
        ("five-scrambled",),
    ),
    Kind(
        "a scrambled program beside a clear one",
        lambda t: bool(_is_scrambled(t)) and bool(t.tracks),
        ("tnt-fr-2prog-one-scrambled",),
    ),
    Kind(
        "lost packets", lambda t: _lost(t) > 0, ("tnt-fr-1prog-ac3-ccerr", "tnt-fr-eac3-lossy-6s")
    ),
    Kind("spoilt packets", lambda t: bool(t.packets.tei.any()), ("corrupt-fuzzed-twin-of-pmtlie",)),
    Kind("bytes too many or missing", lambda t: t.packets.sync_losses > 1, ("corrupt-lost-sync",)),
    Kind(
        "a byte before the first packet",
        lambda t: t.source[1] == t.source[189] == 0x47 != t.source[188],
        ("pmtlie-latm-as-0x0f-hevc-leadbyte",),
    ),
    Kind("packets of 204 bytes", _stride_204, ("dvbsub-rs204",)),
)
