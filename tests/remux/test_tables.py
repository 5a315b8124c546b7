"""Tables made by hand: what is wrong in them must not be heard, and what is odd but
right must be followed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.harness.remuxer import remux
from tests.oracle.audio_sync import decode_track
from tests.oracle.multiplexer import Entry, Multiplexer, Program, language, pmt_section, section
from tests.oracle.transport import NULL_PID, Packets, pats, pmts, sections
from tests.oracle.ts_checker import check, passthrough_equal
from tests.remux.broadcast import (
    AUDIO,
    PMT,
    VIDEO,
    assert_in_sync,
    coded,
    judge,
    new_errors,
    service,
)
from xg2g_backends.base import RemuxOptions

GOOD = pmt_section(service("mp2"))


def broken_crc() -> bytes:
    return GOOD[:-1] + bytes([GOOD[-1] ^ 1])


def with_length(length: int) -> bytes:
    return bytes([GOOD[0], GOOD[1] & 0xF0 | length >> 8, length & 0xFF]) + GOOD[3:]


def overlong_stream_info() -> bytes:
    body = (0xE000 | VIDEO).to_bytes(2, "big") + b"\xf0\x00\x03\xe1\x02\xf3\xff"
    return section(2, 7, 3, body)


def overlong_program_info() -> bytes:
    return section(2, 7, 4, (0xE000 | VIDEO).to_bytes(2, "big") + b"\xf3\xff" + b"\x00" * 9)


def not_yet_valid() -> bytes:
    streams = (Entry(0x1B, 0x777), Entry(3, 0x778))
    body = pmt_section(replace(service("mp2"), streams=streams))[8:-4]
    return section(2, 7, 9, body, current=0)


def of_another_program() -> bytes:
    return pmt_section(replace(service("mp2"), number=99, streams=(Entry(3, 0x555),)))


BAD_PAYLOADS = {
    "crc": b"\x00" + broken_crc(),
    "length 0": b"\x00" + with_length(0),
    "length 1021": b"\x00" + with_length(1021) + b"\xff" * 1000,
    "length 1022": b"\x00" + with_length(1022) + b"\xff" * 1000,
    "length 4095": b"\x00" + with_length(4095) + b"\xff" * 4090,
    "pointer past the end": b"\xf0" + GOOD,
    "stream info past the end": b"\x00" + overlong_stream_info(),
    "program info past the end": b"\x00" + overlong_program_info(),
    "not yet valid": b"\x00" + not_yet_valid(),
    "another program": b"\x00" + of_another_program(),
    "another table": b"\x00" + section(0x42, 7, 1, b"\x00" * 30),
    "garbage": bytes(range(184)),
    "stuffing": b"\x00" + b"\xff" * 183,
    "only half": b"\x00" + GOOD[: len(GOOD) // 2],
}


def stream_with(payload: bytes, pid: int, program: Program | None = None) -> bytes:
    mux = Multiplexer([program or service("mp2")], rate_bps=2e6, video_pid=VIDEO)
    mux.add(AUDIO, list(coded("mp2", 4)))
    for number in range(15):
        mux.add_payload(pid, payload, 0.27 + number * 0.25)
    mux.run(4)
    return mux.output()


@pytest.mark.parametrize("name", BAD_PAYLOADS)
@pytest.mark.parametrize("pid", [0, PMT], ids=["on the PAT", "on the PMT"])
def test_a_bad_section_is_not_heard(name: str, pid: int) -> None:
    source = stream_with(BAD_PAYLOADS[name], pid)
    result = judge(source)
    assert_in_sync(result, gap_s=0.0)
    assert new_errors(source, result.remuxed) == {}
    assert len({pmt.section.version for pmt in pmts(Packets(result.remuxed.output))}) == 1


def test_sections_with_a_bad_crc_are_not_passed_on() -> None:
    source = stream_with(BAD_PAYLOADS["crc"], PMT)
    remuxed = remux(source)
    assert all(found.crc_holds for found in sections(Packets(remuxed.output), PMT))
    assert remuxed.stats.psi_errors >= 15


def odd_stream(program: Program, seconds: float = 4.0) -> bytes:
    mux = Multiplexer([program], rate_bps=2e6, video_pid=VIDEO)
    mux.add(AUDIO, list(coded("mp2", 4)))
    mux.run(seconds)
    return mux.output()


AUDIO_ENTRY = service("mp2").streams[1]
ODD = {
    "over seven packets": replace(
        service("mp2"), descriptors=(b"\x05\xc8" + b"x" * 200) * 4, streams=service("mp2").streams
    ),
    "200 streams": replace(
        service("mp2"),
        streams=(*service("mp2").streams, *(Entry(6, 0x400 + n) for n in range(195))),
    ),
    "32 silent audio tracks": replace(
        service("mp2"),
        streams=(*service("mp2").streams, *(Entry(3, 0x400 + n) for n in range(32))),
    ),
    "the audio twice": replace(
        service("mp2"), streams=(*service("mp2").streams, Entry(0x81, AUDIO, language("deu")))
    ),
    "the audio first": replace(service("mp2"), streams=service("mp2").streams[::-1]),
    "no descriptors": replace(service("mp2"), streams=(Entry(0x1B, VIDEO), Entry(3, AUDIO))),
    "a bad language": replace(
        service("mp2"), streams=(Entry(0x1B, VIDEO), Entry(3, AUDIO, b"\x0a\x04es \x00"))
    ),
    "a language descriptor cut short": replace(
        service("mp2"), streams=(Entry(0x1B, VIDEO), Entry(3, AUDIO, b"\x0a\x02es"))
    ),
    "a descriptor past the end": replace(
        service("mp2"), streams=(Entry(0x1B, VIDEO), Entry(3, AUDIO, b"\x52\x09\x01"))
    ),
    "PES private data with an AC-3 descriptor over MP2": replace(
        service("mp2"), streams=(Entry(0x1B, VIDEO), Entry(6, AUDIO, b"\x6a\x01\x00"))
    ),
    "the highest PMT PID": replace(service("mp2"), pmt_pid=0x1FFE),
    "a radio with no picture": replace(service("mp2"), streams=(AUDIO_ENTRY,)),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_but_right_pmt_is_followed(name: str) -> None:
    source = odd_stream(ODD[name])
    result = judge(source)
    assert_in_sync(result, gap_s=0.0)
    output = Packets(result.remuxed.output)
    last = [s for s in pmts(output)[-1].streams if s.pid == AUDIO]
    assert last and all(s.stream_type == 0x0F for s in last)
    assert new_errors(source, result.remuxed) == {}
    assert all(len(p.section.data) <= 1024 for p in pmts(output))


def test_a_program_without_a_clock_is_still_converted() -> None:
    source = odd_stream(replace(service("mp2"), pcr_pid=NULL_PID))
    assert_in_sync(judge(source), gap_s=0.0)


@pytest.mark.parametrize("pmt_pid", [0, 0x1FFF, AUDIO, VIDEO])
def test_a_pmt_on_an_impossible_pid_does_no_harm(pmt_pid: int) -> None:
    source = odd_stream(replace(service("mp2"), pmt_pid=pmt_pid))
    output = remux(source).output
    assert len(output) % 188 == 0
    assert Packets(output).sync_losses == 0


@pytest.mark.parametrize("streams", [(), (Entry(0x1B, VIDEO),)], ids=["empty", "picture alone"])
def test_a_program_without_audio_passes(streams: tuple[Entry, ...]) -> None:
    source = odd_stream(replace(service("mp2"), streams=streams))
    output = Packets(remux(source).output)
    packets = Packets(source)
    kept = packets.pid != PMT
    assert (output.rows[output.pid != PMT, 12:] == packets.rows[kept, 12:]).all()
    assert not check(output.rows.tobytes()).worse_than(check(source))


def test_a_version_that_changes_with_each_section_is_followed() -> None:
    mux = Multiplexer([service("mp2")], rate_bps=2e6, video_pid=VIDEO)
    mux.add(AUDIO, list(coded("mp2", 6)))
    for version in range(60):
        mux.programs = [service("mp2", version % 32)]
        mux.run(0.1)
    result = judge(mux.output())
    assert_in_sync(result, gap_s=0.0)
    assert "pmt_version" not in check(result.remuxed.output).kinds()


def test_two_programs_on_one_pmt_pid_are_both_converted() -> None:
    other = 0x110
    programs = [
        service("mp2"),
        replace(service("mp2"), number=8, streams=(Entry(3, other, language("eng")),)),
    ]
    mux = Multiplexer(programs, rate_bps=2e6, video_pid=VIDEO)
    mux.add(AUDIO, list(coded("mp2", 5)))
    mux.add(other, list(coded("mp2", 5, seed=2)))
    mux.run(5)
    for pid in (AUDIO, other):
        assert_in_sync(judge(mux.output(), pid), gap_s=0.0)


def two_programs() -> bytes:
    second = Program(8, 0x110, 0x111, (Entry(0x1B, 0x111), Entry(0x81, 0x112, language("eng"))))
    mux = Multiplexer([service("mp2"), second], rate_bps=3e6, video_pid=VIDEO)
    mux.add(AUDIO, list(coded("mp2", 5)))
    mux.add(0x112, list(coded("ac3", 5, seed=2)), stream_id=0xBD)
    mux.run(5)
    return mux.output()


def test_one_program_alone_leaves_no_trace_of_the_others() -> None:
    source = two_programs()
    for number, kept, dropped in (
        (7, AUDIO, {0x110, 0x111, 0x112}),
        (8, 0x112, {PMT, AUDIO, VIDEO}),
    ):
        options = RemuxOptions(program=number)
        result = judge(source, kept, options)
        assert_in_sync(result, gap_s=0.0)
        packets = Packets(result.remuxed.output)
        assert not packets.pids() & dropped
        assert all(set(pat) == {number} for _, pat in pats(packets))
        assert check(result.remuxed.live).errors == {}


def test_a_program_that_does_not_exist_leaves_no_program() -> None:
    output = Packets(remux(two_programs(), RemuxOptions(program=99)).output)
    assert not output.pids() & {PMT, AUDIO, VIDEO, 0x110, 0x111, 0x112}


def languages(*codes: str) -> bytes:
    pids = range(0x301, 0x301 + len(codes))
    entries = (Entry(3, pid, language(code)) for pid, code in zip(pids, codes, strict=True))
    program = replace(service("mp2"), streams=(Entry(0x1B, VIDEO), *entries))
    mux = Multiplexer([program], rate_bps=3e6, video_pid=VIDEO)
    for number, pid in enumerate(pids):
        mux.add(pid, list(coded("mp2", 3, seed=number)))
    mux.run(3)
    return mux.output()


@pytest.mark.parametrize(
    ("tracks", "kept"),
    [
        ("first", {0x301}),
        (("eng",), {0x302}),
        (("ENG",), {0x302}),
        (("pol", "fra", "deu"), {0x303}),
        (("pol",), {0x301}),
        ("all", {0x301, 0x302, 0x303}),
    ],
)
def test_the_tracks_that_were_asked_for_are_kept(tracks: object, kept: set[int]) -> None:
    source = languages("deu", "eng", "fra")
    options = RemuxOptions(tracks=tracks)  # type: ignore[arg-type]
    remuxed = remux(source, options)
    output = Packets(remuxed.output)
    assert output.pids() & {0x301, 0x302, 0x303} == kept
    for pmt in pmts(output):
        assert {s.pid for s in pmt.streams} == kept | {VIDEO}
    assert check(remuxed.live).errors == {}
    for pid in kept:
        assert_in_sync(judge(source, pid, options), gap_s=0.0)


def test_the_original_stays_beside_its_aac_when_it_is_asked_for() -> None:
    source = languages("deu", "eng")
    options = RemuxOptions(keep_original=True)
    remuxed = remux(source, options)
    output = Packets(remuxed.output)
    last = {s.pid: s for s in pmts(output)[-1].streams}
    before = {s.pid: s for s in pmts(Packets(source))[-1].streams}
    added = set(last) - set(before)
    assert len(added) == 2 and not added & Packets(source).pids()
    assert all(last[pid] == before[pid] for pid in before)
    for pid in (0x301, 0x302):
        aac_pid = remuxed.track(pid).output_pid
        assert aac_pid in added
        assert last[aac_pid].stream_type == 0x0F
        assert last[aac_pid].descriptor(0x0A) == before[pid].descriptor(0x0A)
        track = decode_track(Packets(source), pid)
        assert track is not None
        assert_in_sync(judge(source, aac_pid, options, track.decoded), gap_s=0.0)
    assert passthrough_equal(source, remuxed.output, {VIDEO, 0x301, 0x302}).holds()
    report = check(remuxed.live)
    for original in (0x301, 0x302):
        del report.errors["tstd_overflow", original]
    assert +report.errors == {}


@pytest.mark.parametrize("channels", [0, 1, 2, 6])
@pytest.mark.parametrize("coded_channels", [1, 2, 6])
def test_channels_are_what_was_asked_for(channels: int, coded_channels: int) -> None:
    mux = Multiplexer([service("ac3")], rate_bps=2e6, video_pid=VIDEO)
    mux.add(AUDIO, list(coded("ac3", 3, coded_channels)))
    mux.run(3)
    output = remux(mux.output(), RemuxOptions(channels=channels)).output
    track = decode_track(Packets(output), AUDIO, stereo=False)
    assert track is not None
    assert {p.samples.shape[0] for p in track.decoded} == {channels or coded_channels}


@pytest.mark.parametrize("rate_hz", [32_000, 44_100, 48_000])
@pytest.mark.parametrize("source_hz", [32_000, 44_100, 48_000])
def test_the_sample_rate_is_what_was_asked_for(rate_hz: int, source_hz: int) -> None:
    mux = Multiplexer([service("mp2")], rate_bps=2e6, video_pid=VIDEO)
    mux.add(AUDIO, list(coded("mp2", 4, 2, source_hz)))
    mux.run(4)
    result = judge(mux.output(), options=RemuxOptions(sample_rate=rate_hz))
    assert {part.rate_hz for part in result.decoded} == {rate_hz}
    assert_in_sync(result, gap_s=0.0)


@pytest.mark.parametrize("bitrate", [64_000, 128_000, 320_000])
def test_the_bit_rate_is_what_was_asked_for(bitrate: int) -> None:
    mux = Multiplexer([service("mp2")], rate_bps=2e6, video_pid=VIDEO)
    mux.add(AUDIO, list(coded("mp2", 6)))
    mux.run(6)
    output = remux(mux.output(), RemuxOptions(bitrate=bitrate)).output
    track = decode_track(Packets(output), AUDIO)
    assert track is not None
    found = sum(len(unit.data) for unit in track.units) * 8 / track.duration_s
    assert found == pytest.approx(bitrate, rel=0.1)
