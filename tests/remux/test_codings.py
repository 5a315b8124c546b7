"""What a PID holds is what its elementary stream says; it is announced once."""

from __future__ import annotations

import random
import subprocess
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.harness.remuxer import DEFAULTS, Remuxed, remux
from tests.oracle.audio_sync import decode_track
from tests.oracle.multiplexer import Entry, Multiplexer, language, pes
from tests.oracle.transport import Packets, pmts
from tests.oracle.ts_checker import passthrough_equal
from tests.remux.broadcast import (
    AUDIO,
    STREAM_TYPES,
    VIDEO,
    assert_in_sync,
    clean,
    coded,
    edited,
    judge,
    new_errors,
    service,
)
from tests.remux.stand_ins.elementary import dts
from xg2g_backends.base import TrackState

if TYPE_CHECKING:
    from collections.abc import Callable

    from xg2g_backends.base import RemuxOptions

CODECS = ["mp2", "ac3", "eac3", "aac_latm"]
KEEP = replace(DEFAULTS, keep_original=True)


@cache
def ffmpeg_sound(stream: bytes) -> int:
    """Bytes of sound that ffmpeg decodes, of all tracks, as 16 bit stereo at 48 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in.ts")
        path.write_bytes(stream)
        command = ["ffmpeg", "-nostdin", "-v", "quiet", "-i", str(path), "-map", "0:a?"]
        # A line for each block, its size in the fifth column: s16le is for one track in FFmpeg 7.
        command += ["-ac", "2", "-ar", "48000", "-c:a", "pcm_s16le", "-f", "framecrc", "-"]
        lines = subprocess.run(command, capture_output=True, check=False).stdout.splitlines()
        return sum(int(line.split(b",")[4]) for line in lines if not line.startswith(b"#"))


def promises(stream: bytes, program: int = 7) -> list[list[tuple[int, int]]]:
    """What the PMT says of the streams, once for each change."""
    found: list[list[tuple[int, int]]] = []
    for pmt in pmts(Packets(stream)):
        entries = [(s.stream_type, s.pid) for s in pmt.streams]
        if pmt.program == program and entries not in found[-1:]:
            found.append(entries)
    return found


def mux_of(entry: Entry, codec: str | None, seconds: float = 4.0, **how: int) -> Multiplexer:
    """A picture, and a PID that the PMT describes as it likes."""
    program = replace(service("mp2"), streams=(Entry(0x1B, VIDEO), entry))
    mux = Multiplexer([program], rate_bps=3e6, video_pid=VIDEO)
    if codec:
        mux.add(entry.pid, list(coded(codec, seconds)), **how)
    return mux


def assert_announced_once(remuxed: Remuxed, pid: int = AUDIO, changes: int = 1) -> None:
    found = promises(remuxed.output)
    assert len(found) <= 1 + changes, found
    assert (0x0F, pid) in found[-1], found


def assert_never_mixed(remuxed: Remuxed, pid: int = AUDIO) -> None:
    """From the first PMT that promises AAC on, what begins a PES packet there is AAC."""
    output = Packets(remuxed.output)
    promised = next(
        pmt.section.packet
        for pmt in pmts(output)
        if any((s.pid, s.stream_type) == (pid, 0x0F) for s in pmt.streams)
    )
    for index in output.of(pid):
        row = output.rows[index].tobytes()
        if index > promised and row[1] & 0x40 and row[3] & 0x10:
            payload = row[output.payload_start[index] :]
            assert payload[:3] == b"\0\0\1", "no PES packet under the promise of AAC"
            assert payload[9 + payload[8] :][:2] in (b"\xff\xf1", b"\xff\xf9"), payload.hex()


@pytest.mark.parametrize(
    "descriptors", [b"", language("deu"), b"\x52\x01\x07"], ids=["", "0A", "52"]
)
@pytest.mark.parametrize("stream_type", [0x00, 0x06, 0x80, 0x88, 0x91, 0xC1])
def test_ac3_is_found_on_private_types_that_do_not_name_it(
    stream_type: int, descriptors: bytes
) -> None:
    mux = mux_of(Entry(stream_type, AUDIO, descriptors), "ac3", stream_id=0xBD)
    mux.run(4)
    result = judge(mux.output())
    assert_in_sync(result, gap_s=0.0)
    assert_announced_once(result.remuxed)
    assert_never_mixed(result.remuxed)
    assert passthrough_equal(mux.output(), result.remuxed.output, {VIDEO}).holds()


@pytest.mark.parametrize("units_per_pes", [1, 5])
@pytest.mark.parametrize("stream_type", [0x06, 0x88, 0xC1])
@pytest.mark.parametrize("codec", CODECS)
def test_every_coding_is_found_on_a_type_that_does_not_name_it(
    codec: str, stream_type: int, units_per_pes: int
) -> None:
    mux = mux_of(Entry(stream_type, AUDIO), codec, units_per_pes=units_per_pes)
    mux.run(4)
    source = mux.output()
    result = judge(source)
    assert_in_sync(result, gap_s=0.0)
    assert_announced_once(result.remuxed)
    assert_never_mixed(result.remuxed)
    assert result.remuxed.track(AUDIO).codec == codec
    assert new_errors(source, result.remuxed) == {}


@pytest.mark.parametrize("stream_type", [0x06, 0x80, 0x88, 0x91, 0xC1, 0xC2])
@pytest.mark.parametrize("codec", ["mp2", "ac3", "eac3"])
def test_ffmpeg_hears_as_much_of_the_output_as_of_a_source_that_names_nothing(
    codec: str, stream_type: int
) -> None:
    """What ffmpeg once took for a coding by its stream_type, it never takes for another."""
    mux = mux_of(Entry(stream_type, AUDIO, language("deu")), codec, stream_id=0xBD)
    mux.run(4)
    heard = ffmpeg_sound(remux(mux.output()).output)
    assert heard >= max(0.95 * ffmpeg_sound(mux.output()), 3.5 * 48_000 * 4)


@pytest.mark.parametrize("stream_type", [0xC1, 0xC2, 0xCF])
def test_data_on_a_type_that_players_take_for_audio_is_announced_as_it_was(
    stream_type: int,
) -> None:
    mux = mux_of(Entry(stream_type, AUDIO), None)
    for number in range(40):
        mux.add_payload(
            AUDIO, pes(records(b"\x10\x00", 300)(number), 324_000_000, 0xBD), number / 10
        )
    mux.run(4)
    remuxed = remux(mux.output())
    assert promises(remuxed.output)[-1] == [(0x1B, VIDEO), (stream_type, AUDIO)]
    assert passthrough_equal(mux.output(), remuxed.output, {AUDIO, VIDEO}).holds()


@pytest.mark.parametrize("stream_type", [0x06, 0x80])
def test_aac_in_adts_is_found_and_announced_on_a_type_that_does_not_name_it(
    stream_type: int,
) -> None:
    mux = mux_of(Entry(stream_type, AUDIO, language("deu")), "aac")
    mux.run(4)
    remuxed = remux(mux.output())
    assert_announced_once(remuxed)
    assert passthrough_equal(mux.output(), remuxed.output, {AUDIO}).holds()
    assert remuxed.track(AUDIO).state is TrackState.PASSING_AAC


def records(begin: bytes, size: int, seed: int = 1) -> Callable[[int], bytes]:
    """Data whose PES packets begin with some bytes and go on with others."""

    def make(number: int) -> bytes:
        return begin + random.Random(seed * 1000 + number).randbytes(size - len(begin))

    return make


def teletext(number: int) -> bytes:
    """EN 300 472: data units of 46 bytes."""
    unit = b"\x02\x2c\xe7\xe4" + random.Random(number).randbytes(42)
    return b"\x10" + unit * 3


AC3_HEADER = coded("ac3", 1)[2].data[:8]
MP2_HEADER = coded("mp2", 1)[2].data[:4]
ADTS_HEADER = coded("aac", 1)[2].data[:7]
LATM_HEADER = coded("aac_latm", 1)[2].data[:3]
TWO_FRAMES = b"".join(unit.data for unit in coded("ac3", 1)[2:4])
IMITATIONS: dict[str, Callable[[int], bytes]] = {
    "random": records(b"", 600),
    "teletext": teletext,
    "a header of AC-3 each": records(AC3_HEADER, 700),
    "a header of MP2 each": records(MP2_HEADER, 500),
    "a header of ADTS each": records(ADTS_HEADER, 300),
    "a header of LATM each": records(LATM_HEADER, 300),
    "sync words of AC-3 alone": lambda _: b"\x0b\x77" * 300,
    "headers of AC-3 alone": lambda _: AC3_HEADER * 100,
    "headers of MP2 alone": lambda _: MP2_HEADER * 150,
    "headers of ADTS alone": lambda _: ADTS_HEADER * 80,
    "headers of LATM alone": lambda _: LATM_HEADER * 200,
    "ones": lambda _: b"\xff" * 500,
    "two frames of AC-3": lambda n: (
        b"".join(u.data for u in coded("ac3", 1)[2:4]) + bytes([n]) * 99
    ),
}


def with_data(
    make: Callable[[int], bytes], entry: Entry, with_audio: bool, seconds: float = 4.0
) -> Multiplexer:
    mux = mux_of(entry, None)
    if with_audio:
        audio = Entry(0x03, 0x150, language("eng"))
        mux.programs[0] = replace(mux.programs[0], streams=(*mux.programs[0].streams, audio))
        mux.add(audio.pid, list(coded("mp2", seconds)))
    for number in range(round(seconds / 0.04)):
        unit = pes(make(number), 324_000_000 + number * 3600, 0xBD)
        mux.add_payload(entry.pid, unit, 0.02 + number * 0.04)
    return mux


@pytest.mark.parametrize("stream_type", [0x06, 0x80, 0xC1])
@pytest.mark.parametrize("name", IMITATIONS)
def test_data_never_becomes_audio(name: str, stream_type: int) -> None:
    mux = with_data(IMITATIONS[name], Entry(stream_type, AUDIO), with_audio=True)
    mux.run(4)
    source = mux.output()
    remuxed = remux(source)
    found = promises(remuxed.output)
    assert found[-1] == [(0x1B, VIDEO), (stream_type, AUDIO), (0x0F, 0x150)]
    # What players take for audio unseen waits for its first PES packet.
    assert found[:-1] in ([], [[(0x1B, VIDEO), (0x0F, 0x150)]] if stream_type == 0xC1 else [])
    assert passthrough_equal(source, remuxed.output, {AUDIO}).holds()
    assert [track.pid for track in remuxed.stats.tracks] == [0x150]


@pytest.mark.parametrize("name", ["random", "teletext", "ones"])
def test_data_that_does_not_look_like_audio_is_not_held(name: str) -> None:
    mux = with_data(IMITATIONS[name], Entry(0x06, AUDIO), with_audio=False)
    mux.run(4)
    source = mux.output()
    assert passthrough_equal(source, remux(source).output, {VIDEO, AUDIO, 0, 0x1FFF}).holds()


NOT_AUDIO = {
    "teletext": b"\x56\x05deu\x09\x00",
    "VBI teletext": b"\x46\x05deu\x09\x00",
    "VBI data": b"\x45\x03\x04\x01\xe7",
    "subtitling": b"\x59\x08deu\x10\x00\x01\x00\x01",
    "application": b"\x6f\x03\x00\x10\xe1",
    "data broadcast": b"\x66\x02\x01\x23",
    "KLV": b"\x05\x04KLVA",
    "SCTE 35": b"\x05\x04CUEI",
}


@pytest.mark.parametrize("name", NOT_AUDIO)
def test_what_is_named_as_something_else_is_never_taken_for_audio(name: str) -> None:
    """Not even where its bytes are."""
    mux = mux_of(Entry(0x06, AUDIO, NOT_AUDIO[name]), "ac3", stream_id=0xBD)
    mux.run(4)
    source = mux.output()
    remuxed = remux(source)
    assert passthrough_equal(source, remuxed.output, {AUDIO, VIDEO, 0, 0x1FFF}).holds()
    assert promises(remuxed.output) == [[(0x1B, VIDEO), (0x06, AUDIO)]]


def test_the_first_track_is_one_that_the_pmt_names() -> None:
    """Data in front of it is kept as well."""
    mux = with_data(IMITATIONS["random"], Entry(0x06, AUDIO), with_audio=True)
    mux.run(2)
    remuxed = remux(mux.output(), replace(DEFAULTS, tracks="first"))
    assert (0x0F, 0x150) in promises(remuxed.output)[-1]
    assert AUDIO in Packets(remuxed.output).pids()


def test_one_track_is_kept_of_several_that_the_pmt_does_not_name() -> None:
    entries = (Entry(0x06, 0x301, language("deu")), Entry(0x06, 0x302, language("eng")))
    program = replace(service("mp2"), streams=(Entry(0x1B, VIDEO), *entries))
    mux = Multiplexer([program], rate_bps=3e6, video_pid=VIDEO)
    for number, entry in enumerate(entries):
        mux.add(entry.pid, list(coded("ac3", 3, seed=number)), stream_id=0xBD)
    mux.run(3)
    output = Packets(remux(mux.output(), replace(DEFAULTS, tracks=("eng",))).output)
    last = pmts(output)[-1]
    assert [s.pid for s in last.streams] == [VIDEO, 0x302]
    late = output.of(0x301)
    assert len(late) == 0 or late[-1] < len(output) // 4


@pytest.mark.parametrize("options", [DEFAULTS, KEEP], ids=["", "keep"])
@pytest.mark.parametrize("truth", [*CODECS, "aac"])
@pytest.mark.parametrize("declared", ["mp2", "ac3", "aac_latm", "aac"])
def test_a_false_declaration_costs_no_sound_and_one_change_at_most(
    declared: str, truth: str, options: RemuxOptions
) -> None:
    mux = mux_of(Entry(STREAM_TYPES[declared], AUDIO, language("deu")), truth)
    mux.run(4)
    source = mux.output()
    remuxed = remux(source, options)
    pid = remuxed.track(AUDIO).output_pid
    found = promises(remuxed.output)
    assert len(found) <= (2 if options is KEEP else 1), found
    if options is DEFAULTS or truth != "aac":
        assert (0x0F, pid) in found[-1]
        track = decode_track(Packets(source), AUDIO)
        assert track is not None
        if truth != "aac":
            assert_in_sync(judge(source, pid, options, track.decoded), gap_s=0.0)
    if options is DEFAULTS:
        assert_never_mixed(remuxed)
        plain = ffmpeg_sound(clean(truth, 4))
        assert ffmpeg_sound(remuxed.output) >= 0.97 * plain > 0


@pytest.mark.parametrize("options", [DEFAULTS, KEEP], ids=["", "keep"])
def test_dts_is_announced_once(options: RemuxOptions) -> None:
    """By its descriptor, by a type that subtitles share, and by neither."""
    frames = list(dts())
    for entry in (
        Entry(0x06, AUDIO, b"\x7b\x05\x70\x00\x0f\x00\x00"),
        Entry(0x82, AUDIO, language("deu")),
        Entry(0x06, AUDIO),
    ):
        mux = mux_of(entry, None)
        mux.add(AUDIO, frames, stream_id=0xBD)
        mux.run(1.5)
        remuxed = remux(mux.output(), options)
        pid = remuxed.track(AUDIO).output_pid
        assert_announced_once(remuxed, pid, changes=0 if entry.descriptors[:1] == b"\x7b" else 1)
        assert ffmpeg_sound(remuxed.output) >= 1.3 * 192_000
        if options is DEFAULTS:
            assert_never_mixed(remuxed)


@pytest.mark.parametrize("options", [DEFAULTS, KEEP], ids=["", "keep"])
@pytest.mark.parametrize("packets", [1, 15, 20, 60, 200])
@pytest.mark.parametrize("codec", CODECS)
def test_sound_that_is_scrambled_at_first_is_announced_once(
    codec: str, packets: int, options: RemuxOptions
) -> None:
    source = scrambled_at_first(codec, packets)
    remuxed = remux(source, options)
    assert len(promises(remuxed.output)) == 1
    pid = remuxed.track(AUDIO).output_pid
    assert remuxed.track(AUDIO).scrambled_packets == packets
    track = decode_track(Packets(source), AUDIO)
    assert track is not None
    assert_in_sync(judge(source, pid, options, track.decoded), gap_s=0.0)
    if options is DEFAULTS:
        assert_never_mixed(remuxed)
        rest = ffmpeg_sound(clean(codec, 8)) - packets * 184 * 8 * 192_000 // 96_000
        assert ffmpeg_sound(remuxed.output) >= 0.9 * rest


def scrambled_at_first(codec: str, packets: int) -> bytes:
    def edit(found: Packets) -> list[bytes]:
        out = found.rows.copy()
        rng = np.random.default_rng(1)
        audio = [i for i in found.of(AUDIO) if found.has_payload[i]]
        for index in audio[:packets]:
            at = found.payload_start[index]
            out[index, 3] |= 0x80
            out[index, at:] = rng.integers(0, 256, 188 - at, np.uint8)
        return [row.tobytes() for row in out]

    return edited(clean(codec, 8), edit)


def test_tracks_that_are_scrambled_and_clear_together_change_together() -> None:
    pids = (0x301, 0x302, 0x303)
    entries = tuple(Entry(0x81, pid, language("deu")) for pid in pids)
    program = replace(service("mp2"), streams=(Entry(0x1B, VIDEO), *entries))
    mux = Multiplexer([program], rate_bps=4e6, video_pid=VIDEO)
    for number, pid in enumerate(pids):
        mux.add(pid, list(coded("ac3", 10, seed=number)), stream_id=0xBD)
    mux.run(10)
    stream = mux.output()
    packets = Packets(stream)
    out = packets.rows.copy()
    rng = np.random.default_rng(1)
    for index in range(len(packets) * 3 // 10, len(packets) * 7 // 10):
        if packets.pid[index] in pids and packets.has_payload[index]:
            at = packets.payload_start[index]
            out[index, 3] |= 0xC0
            out[index, at:] = rng.integers(0, 256, 188 - at, np.uint8)
    remuxed = remux(out.tobytes())
    found = [[kind for kind, pid in entries if pid in pids] for entries in promises(remuxed.output)]
    assert found == [[0x0F] * 3, [0x81] * 3, [0x0F] * 3]
    for pid in pids:
        marked = [
            index
            for index in Packets(remuxed.output).of(pid)
            if remuxed.output[index * 188 + 3] & 0x20
            and remuxed.output[index * 188 + 4] > 0
            and remuxed.output[index * 188 + 5] & 0x80
        ]
        assert marked, "another coding follows without a discontinuity"
