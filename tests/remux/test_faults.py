"""Faults of the source: sound is back within a second, in sync, and the rest of the
stream does not suffer."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.harness.remuxer import remux
from tests.oracle.access_unit import access_units
from tests.oracle.audio_sync import Decoded, compare, decode, decode_track
from tests.oracle.multiplexer import Coded, Entry, Multiplexer, language
from tests.oracle.transport import PTS_MODULUS, Packets, pmts
from tests.oracle.ts_checker import check, passthrough_equal
from tests.remux.broadcast import (
    AUDIO,
    PMT,
    VIDEO,
    assert_in_sync,
    clean,
    coded,
    edited,
    judge,
    lossy,
    multiplexer,
    new_errors,
    rows,
    scrambled,
    service,
    without,
)
from xg2g_backends.base import TrackState

CODECS = ["mp2", "ac3", "eac3", "aac_latm"]


@pytest.mark.parametrize("codec", CODECS)
def test_an_undisturbed_stream_is_converted_without_a_gap(codec: str) -> None:
    result = judge(clean(codec))
    assert_in_sync(result, gap_s=0.0)
    report = check(result.remuxed.live)
    assert report.errors == {}
    assert report.audio[AUDIO].leads_outside(20, 150) == 0, report.audio[AUDIO].leads_ms


@pytest.mark.parametrize("channels", [1, 6])
def test_mono_and_surround_are_converted(channels: int) -> None:
    result = judge(clean("ac3", channels=channels))
    assert_in_sync(result, correlation=0.9 if channels == 6 else 0.95, gap_s=0.0)


@pytest.mark.parametrize("codec", ["mp2", "ac3"])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.05])
def test_lost_packets_cost_their_own_frames_alone(rate: float, codec: str) -> None:
    source = lossy(clean(codec, 10), rate)
    result = judge(source, window_s=0.15)
    found = result.comparison
    assert found.offset_ms <= 1.0, found
    assert found.longest_gap_s <= 0.3, found
    assert np.median([point.worst_channel for point in found.points]) >= 0.95, found
    assert new_errors(source, result.remuxed) == {}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("lost_s", [0.05, 2.0])
def test_sound_is_back_within_a_second_after_a_burst_loss(lost_s: float, codec: str) -> None:
    source = without(clean(codec, 10), 0.4, 0.4 + lost_s / 10)
    result = judge(source)
    assert_in_sync(result, gap_s=0.2)
    errors = new_errors(source, result.remuxed)
    # The rest of a unit of which packets had left before the burst comes behind it.
    assert errors.pop("tstd_late", (0, 0))[0] <= 1
    assert errors == {}


@pytest.mark.parametrize("step_s", [-36_000, -1, 1, 36_000])
@pytest.mark.parametrize("marked", [True, False], ids=["marked", "unmarked"])
def test_a_jump_of_the_time_base_is_followed(step_s: int, marked: bool) -> None:
    mux = multiplexer()
    before_90k = mux.base_27m // 300
    units = list(coded("mp2", 8))
    mux.add(AUDIO, [unit for unit in units if unit.at_s < 4])
    mux.run(4)
    mux.base_27m += step_s * 27_000_000
    mux.mark_discontinuity = marked
    mux.add(AUDIO, [unit for unit in units if unit.at_s >= 4])
    mux.run(4)
    source = mux.output()
    remuxed = remux(source)
    assert new_errors(source, remuxed) == {}
    for low_s, base_90k in ((0.0, before_90k), (4.0, mux.base_27m // 300)):
        from_90k = round(base_90k + low_s * 90_000)
        seconds = 2.8 if step_s == -1 and low_s == 0 else 3.8
        before, after = (_heard(data, from_90k, seconds) for data in (source, remuxed.output))
        found = compare(before, after, (0, 0.25, 0.5, 0.75, 1), 0.3)
        assert found.offset_ms <= 1.0 and found.correlation >= 0.95, (low_s, found)
        assert found.longest_gap_s <= 1.0, (low_s, found)


def _heard(stream: bytes, from_90k: int, seconds: float) -> list[Decoded]:
    """What is heard in a span of the time line; of spans that come twice, the later."""
    track = decode_track(Packets(stream), AUDIO)
    assert track is not None
    inside = [
        part for part in track.decoded if (part.pts_90k - from_90k) % PTS_MODULUS < seconds * 90_000
    ]
    starts = [
        number
        for number, (a, b) in enumerate(pairwise(inside), 1)
        if (b.pts_90k - a.pts_90k) % PTS_MODULUS > PTS_MODULUS // 2
    ]
    return inside[starts[-1] :] if starts else inside


@pytest.mark.parametrize("codec", CODECS)
def test_the_wrap_of_the_time_stamps_is_not_heard(codec: str) -> None:
    base_27m = (PTS_MODULUS - 3 * 90_000) * 300
    result = judge(clean(codec, base_27m=base_27m))
    assert_in_sync(result, gap_s=0.0)
    assert check(result.remuxed.live).errors == {}


@pytest.mark.parametrize("rates_hz", [(48_000, 44_100), (44_100, 32_000), (32_000, 48_000)])
def test_a_change_of_the_sample_rate_is_followed(rates_hz: tuple[int, int]) -> None:
    mux = multiplexer()
    for number, rate_hz in enumerate(rates_hz):
        units = [u for u in coded("mp2", 4, 2, rate_hz, seed=number) if 0.0 <= u.at_s < 3.9]
        mux.add(AUDIO, units, start_s=4 * number)
    mux.run(8)
    assert_in_sync(judge(mux.output()), gap_s=0.3)


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "unannounced"])
@pytest.mark.parametrize("codecs", [("mp2", "ac3"), ("ac3", "aac_latm"), ("aac_latm", "mp2")])
def test_a_change_of_the_codec_is_followed(codecs: tuple[str, str], announced: bool) -> None:
    mux = multiplexer(codecs[0])
    for number, codec in enumerate(codecs):
        units = [u for u in coded(codec, 4, seed=number) if 0.0 <= u.at_s < 3.9]
        mux.add(AUDIO, units, start_s=4 * number)
    mux.run(3.95)
    if announced:
        mux.programs = [service(codecs[1], version=1)]
    mux.run(4)
    source = mux.output()
    packets = Packets(source)
    reference = []
    for number, codec in enumerate(codecs):
        # Among the bytes of one codec, some look like frames of the other.
        begins_90k = mux.base_27m // 300 + number * 4 * 90_000
        own = (
            unit
            for unit in access_units(packets, AUDIO, codec)
            if (unit.pts_90k - begins_90k) % PTS_MODULUS < 4 * 90_000
        )
        reference += decode(own, codec)[0]
    result = judge(source, reference=reference)
    assert_in_sync(result, gap_s=1.0)


def test_a_change_between_stereo_and_surround_is_followed() -> None:
    mux = multiplexer("ac3")
    for number, channels in enumerate((2, 6, 2)):
        units = [u for u in coded("ac3", 3, channels, seed=number) if 0.0 <= u.at_s < 2.95]
        mux.add(AUDIO, units, start_s=3 * number)
    mux.run(9)
    assert_in_sync(judge(mux.output()), correlation=0.9, gap_s=0.2)


def test_audio_that_pauses_ten_seconds_comes_back_in_sync() -> None:
    mux = multiplexer()
    units = list(coded("mp2", 16))
    mux.add(AUDIO, [unit for unit in units if not 3 <= unit.at_s < 13])
    mux.run(16)
    result = judge(mux.output())
    assert_in_sync(result, gap_s=0.2)
    assert result.comparison.output_s < 7


@pytest.mark.parametrize("codec", CODECS)
def test_audio_that_is_scrambled_for_a_while_is_clear_again_within_a_second(codec: str) -> None:
    source = scrambled(clean(codec, 12), 1 / 3, 2 / 3)
    remuxed = remux(source)
    output = Packets(remuxed.output)
    clear = output.scrambling[output.of(AUDIO)] == 0
    assert not clear.all(), "scrambled audio has to pass untouched"
    assert remuxed.track(AUDIO).state is TrackState.CONVERTING
    result = judge(source)
    assert result.comparison.offset_ms <= 1.0, result.comparison
    assert result.comparison.correlation >= 0.95, result.comparison
    assert result.comparison.longest_gap_s <= 1.0
    assert new_errors(source, remuxed) == {}


def test_a_program_that_the_pat_moves_is_followed() -> None:
    mux = multiplexer()
    units = list(coded("mp2", 8))
    mux.add(AUDIO, [unit for unit in units if unit.at_s < 4])
    mux.run(4)
    moved = replace(
        service("mp2"), pmt_pid=0x200, pcr_pid=0x201,
        streams=(Entry(0x1B, 0x201), Entry(3, 0x202, language("deu"))),
    )  # fmt: skip
    mux.programs, mux.pat_version, mux.video_pid = [moved], 1, 0x201
    mux.add(0x202, [unit for unit in units if unit.at_s >= 4])
    mux.run(4)
    source = mux.output()
    assert_in_sync(judge(source, AUDIO))
    result = judge(source, 0x202)
    assert_in_sync(result)
    last = pmts(Packets(result.remuxed.output))[-1]
    assert [stream.stream_type for stream in last.streams] == [0x1B, 0x0F]
    assert new_errors(source, result.remuxed) == {}


def test_tracks_that_come_and_go_leave_the_others_alone() -> None:
    mux = multiplexer()
    second = 0x103
    mux.add(AUDIO, list(coded("mp2", 9)))
    mux.run(3)
    both = service("mp2", version=1)
    both = replace(both, streams=(*both.streams, Entry(0x81, second, language("eng"))))
    mux.programs = [both]
    mux.add(second, [u for u in coded("ac3", 9, seed=2) if 3.1 <= u.at_s < 6], stream_id=0xBD)
    mux.run(3)
    mux.programs = [service("mp2", version=2)]
    mux.run(3)
    source = mux.output()
    assert_in_sync(judge(source), gap_s=0.0)
    assert_in_sync(judge(source, second), gap_s=0.2)
    assert new_errors(source, remux(source)) == {}


def test_duplicates_are_not_heard_twice() -> None:
    rng = random.Random(1)

    def twice(packets: Packets) -> list[bytes]:
        often = (2 if row[3] & 0x10 and rng.random() < 0.5 else 1 for row in rows(packets))
        return [row for row, count in zip(rows(packets), often, strict=True) for _ in range(count)]

    source = edited(clean(), twice)
    result = judge(source)
    assert_in_sync(result, gap_s=0.0)
    assert new_errors(source, result.remuxed) == {}


def test_packets_in_the_wrong_order_cost_their_own_frames_alone() -> None:
    def exchange(packets: Packets) -> list[bytes]:
        found = rows(packets)
        audio = packets.of(AUDIO)
        for first, second in zip(audio[100::200], audio[101::200], strict=False):
            found[first], found[second] = found[second], found[first]
        return found

    result = judge(edited(clean(seconds=10), exchange), window_s=0.15)
    assert result.comparison.offset_ms <= 1.0
    assert result.comparison.longest_gap_s <= 0.3


def test_packets_with_transport_errors_cost_their_own_frames_alone() -> None:
    def spoil(packets: Packets) -> list[bytes]:
        spoilt = packets.rows.copy()
        for index in packets.of(AUDIO)[50::100]:
            spoilt[index, 1] |= 0x80
            spoilt[index, 20:] ^= 0x55
        return [row.tobytes() for row in spoilt]

    source = edited(clean(seconds=10), spoil)
    result = judge(source, window_s=0.15)
    assert result.comparison.offset_ms <= 1.0
    assert result.comparison.longest_gap_s <= 0.3
    assert result.remuxed.stats.transport_errors > 5


@pytest.mark.parametrize("garbage_bytes", [1, 7, 100, 187, 188, 189, 1000])
def test_alignment_is_found_again_after_garbage(garbage_bytes: int) -> None:
    rng = random.Random(garbage_bytes)
    garbage = [rng.randbytes(garbage_bytes) for _ in range(3)]
    packets = rows(Packets(clean()))
    third = len(packets) // 4
    for number, piece in enumerate(garbage):
        packets.insert(third * (number + 1), piece)
    result = judge(b"".join(packets))
    assert_in_sync(result, gap_s=0.3)
    assert Packets(result.remuxed.output).sync_losses == 0


def test_audio_without_pts_for_five_seconds_keeps_its_time() -> None:
    units = list(coded("mp2", 10))
    mux = multiplexer()
    early_s = 0.7  # as much as the long PES packets take, so that all leave in their order
    mux.add(AUDIO, [u for u in units if u.at_s < 2], lead_s=early_s, units_per_pes=3)
    mux.add(AUDIO, [u for u in units if 2 <= u.at_s < 7], units_per_pes=60)
    mux.add(AUDIO, [u for u in units if u.at_s >= 7], lead_s=early_s, units_per_pes=3)
    mux.run(10)
    assert_in_sync(judge(mux.output()), gap_s=0.1)


@pytest.mark.parametrize("jitter_ms", [0.2, 2.0])
def test_jitter_of_the_source_pts_is_not_heard(jitter_ms: float) -> None:
    rng = random.Random(1)
    units = [Coded(u.at_s + rng.uniform(-1, 1) * jitter_ms / 1000, u.data) for u in coded("mp2", 8)]
    mux = multiplexer()
    mux.add(AUDIO, units)
    mux.run(8)
    smooth = decode_track(Packets(clean(seconds=8)), AUDIO)
    assert smooth is not None
    result = judge(mux.output(), reference=smooth.decoded)
    found = result.comparison
    assert found.offset_ms <= 1.0 + jitter_ms, found
    assert found.correlation >= 0.95, found


def test_pts_in_whole_milliseconds_are_not_heard() -> None:
    """As they come from containers that count in milliseconds."""
    units = [Coded(round(u.at_s, 3), u.data) for u in coded("aac_latm", 8)]
    mux = multiplexer("aac_latm")
    mux.add(AUDIO, units)
    mux.run(8)
    smooth = decode_track(Packets(clean("aac_latm", seconds=8)), AUDIO)
    assert smooth is not None
    found = judge(mux.output(), reference=smooth.decoded).comparison
    assert found.offset_ms <= 1.0 and found.correlation >= 0.95, found


def test_a_source_clock_that_drifts_is_followed() -> None:
    """Audio that runs 200 ppm slow against its own PTS, as a bad encoder's does."""
    units = [Coded(unit.at_s * 1.0002, unit.data) for unit in coded("mp2", 20)]
    mux = multiplexer()
    mux.add(AUDIO, units)
    mux.run(20)
    result = judge(mux.output())
    assert result.comparison.offset_ms <= 1.0, result.comparison
    assert result.comparison.correlation >= 0.9, result.comparison


def test_radio_with_the_pcr_on_the_audio_pid_keeps_its_pcr() -> None:
    program = replace(service("mp2"), pcr_pid=AUDIO, streams=(Entry(3, AUDIO, language("deu")),))
    mux = Multiplexer([program], rate_bps=1e6)
    mux.add(AUDIO, list(coded("mp2", 6)))
    mux.run(6)
    source = mux.output()
    result = judge(source)
    assert_in_sync(result, gap_s=0.0)
    before, after = Packets(source), Packets(result.remuxed.output)
    pcrs = [p.pcr_27m[p.of(AUDIO)] for p in (before, after)]
    pcrs = [p[p >= 0] for p in pcrs]
    assert len(pcrs[0]) == len(pcrs[1]) > 100
    assert len(set((pcrs[1] - pcrs[0]).tolist())) == 1
    assert check(result.remuxed.live).errors == {}


def test_the_picture_is_never_touched_by_a_fault() -> None:
    source = lossy(scrambled(clean(seconds=6), 0.3, 0.5), 0.01)
    output = remux(source).output
    assert passthrough_equal(source, output, {VIDEO, 0}).holds()
    assert {PMT, AUDIO} <= Packets(output).pids()
