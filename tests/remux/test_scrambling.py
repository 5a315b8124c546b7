"""Scrambled is what the payload says, whatever the bits of the header say."""

from __future__ import annotations

import random

import numpy as np
import pytest

from tests.harness.remuxer import remux
from tests.oracle.audio_sync import decode_track
from tests.oracle.transport import Packets, pmts
from tests.oracle.ts_checker import passthrough_equal
from tests.remux.broadcast import AUDIO, PMT, VIDEO, assert_in_sync, clean, edited, judge
from tests.remux.broadcast import scrambled as scrambled_between
from xg2g_backends.base import TrackState

CODECS = ["mp2", "ac3", "eac3", "aac_latm"]


def with_bits(stream: bytes, pids: set[int], share: float = 1.0, bits: int = 2) -> bytes:
    """The stream with transport_scrambling_control set on clear packets."""
    rng = random.Random(1)

    def edit(packets: Packets) -> list[bytes]:
        out = packets.rows.copy()
        for index in range(len(packets)):
            if packets.pid[index] in pids and packets.has_payload[index] and rng.random() < share:
                out[index, 3] |= bits << 6
        return [row.tobytes() for row in out]

    return edited(stream, edit)


def noise(stream: bytes, pid: int, start: float = 0.0, end: float = 1.0) -> bytes:
    """A PID that is scrambled while its bits say clear."""

    def clear_bits(packets: Packets) -> list[bytes]:
        out = packets.rows.copy()
        out[packets.of(pid), 3] &= 0x3F
        return [row.tobytes() for row in out]

    return edited(scrambled_between(stream, start, end, pid), clear_bits)


@pytest.mark.parametrize("bits", [1, 2, 3])
@pytest.mark.parametrize("codec", CODECS)
def test_clear_sound_whose_bits_say_scrambled_is_converted(codec: str, bits: int) -> None:
    plain = clean(codec)
    source = with_bits(plain, {AUDIO, VIDEO}, bits=bits)
    track = decode_track(Packets(plain), AUDIO)
    assert track is not None
    result = judge(source, reference=track.decoded)
    assert_in_sync(result, gap_s=0.0)
    assert result.remuxed.track(AUDIO).state is TrackState.CONVERTING
    assert result.remuxed.track(AUDIO).scrambled_packets == 0
    output = Packets(result.remuxed.output)
    assert not output.scrambling[output.of(AUDIO)].any()
    assert passthrough_equal(source, result.remuxed.output, {VIDEO}).holds()


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("codec", CODECS)
def test_bits_set_on_some_clear_packets_cost_no_sound(codec: str, share: float) -> None:
    plain = clean(codec)
    source = with_bits(plain, {AUDIO}, share)
    converted = remux(source)
    assert converted.track(AUDIO).scrambled_packets == 0
    assert converted.track(AUDIO).decode_errors == 0
    track = decode_track(Packets(plain), AUDIO)
    assert track is not None
    assert_in_sync(judge(source, reference=track.decoded), gap_s=0.0)


def test_aac_whose_bits_say_scrambled_passes_untouched() -> None:
    source = with_bits(clean("aac"), {AUDIO})
    remuxed = remux(source)
    assert remuxed.track(AUDIO).state is TrackState.PASSING_AAC
    assert passthrough_equal(source, remuxed.output, {AUDIO, VIDEO}).holds()


def test_tables_whose_bits_say_scrambled_are_read() -> None:
    plain = clean()
    source = with_bits(plain, {0, PMT})
    result = judge(source)
    assert_in_sync(result, gap_s=0.0)
    output = Packets(result.remuxed.output)
    assert len(output.of(PMT)) > 50 and not output.scrambling[output.of(PMT)].any()


@pytest.mark.parametrize("codec", [*CODECS, "aac"])
def test_scrambled_sound_whose_bits_say_clear_is_reported(codec: str) -> None:
    source = noise(clean(codec), AUDIO)
    remuxed = remux(source)
    track = remuxed.track(AUDIO)
    assert track.state is TrackState.SCRAMBLED
    assert track.frames_decoded == track.frames_encoded == 0
    packets = Packets(source)
    count = int(packets.has_payload[packets.of(AUDIO)].sum())
    assert count - 2 <= track.scrambled_packets <= count
    assert passthrough_equal(source, remuxed.output, {AUDIO}).holds()
    assert pmts(Packets(remuxed.output))[-1].streams == pmts(packets)[-1].streams


@pytest.mark.parametrize("codec", CODECS)
def test_sound_is_back_in_sync_after_scrambled_payload(codec: str) -> None:
    plain = clean(codec, 12)
    source = noise(plain, AUDIO, 1 / 3, 2 / 3)
    track = decode_track(Packets(scrambled_between(plain, 1 / 3, 2 / 3)), AUDIO)
    assert track is not None
    result = judge(source, reference=track.decoded)
    found = result.comparison
    assert found.offset_ms <= 1.0 and found.correlation >= 0.95, found
    assert found.longest_gap_s <= 1.0
    assert result.remuxed.track(AUDIO).state is TrackState.CONVERTING


@pytest.mark.parametrize("bits", [0, 0x10, 0x30])
@pytest.mark.parametrize("codec", ["mp2", "ac3"])
def test_pes_packets_whose_payload_alone_is_scrambled_are_reported(codec: str, bits: int) -> None:
    """With PES_scrambling_control set and without."""

    def edit(packets: Packets) -> list[bytes]:
        out = packets.rows.copy()
        rng = np.random.default_rng(1)
        for index in packets.of(AUDIO):
            at = int(packets.payload_start[index])
            if packets.has_payload[index]:
                if out[index, 1] & 0x40:
                    out[index, at + 6] |= bits
                    at += 9 + int(out[index, at + 8])
                out[index, at:] = rng.integers(0, 256, 188 - at, np.uint8)
        return [row.tobytes() for row in out]

    remuxed = remux(edited(clean(codec), edit))
    assert remuxed.track(AUDIO).state is TrackState.SCRAMBLED
    # Among much noise is something like a frame.
    assert remuxed.track(AUDIO).frames_encoded < 10


@pytest.mark.parametrize("codec", ["mp2", "ac3"])
def test_clear_sound_with_pes_scrambling_control_set_is_converted(codec: str) -> None:
    plain = clean(codec)

    def edit(packets: Packets) -> list[bytes]:
        out = packets.rows.copy()
        for index in packets.of(AUDIO):
            if out[index, 1] & 0x40 and packets.has_payload[index]:
                out[index, packets.payload_start[index] + 6] |= 0x20
        return [row.tobytes() for row in out]

    track = decode_track(Packets(plain), AUDIO)
    assert track is not None
    assert_in_sync(judge(edited(plain, edit), reference=track.decoded), gap_s=0.0)
