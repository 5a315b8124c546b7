"""The transport stream checker, tried on streams whose faults are known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from tests.oracle.multiplexer import (
    Coded,
    Entry,
    Multiplexer,
    Program,
    encode,
    language,
    packetize,
    pes,
    sound,
)
from tests.oracle.transport import PACKET_BYTES, PTS_MODULUS, Packets
from tests.oracle.ts_checker import check, converted_form_errors, passthrough_equal

VIDEO, AUDIO, PMT = 0x101, 0x102, 0x100
PROGRAM = Program(7, PMT, VIDEO, (Entry(0x1B, VIDEO), Entry(0x0F, AUDIO, language("deu"))))


@cache
def aac() -> tuple[Coded, ...]:
    return tuple(encode("aac", sound(3), bitrate=128_000))


def mux(
    base_27m: int = 27_000_000, lead_s: float = 0.05, program: Program = PROGRAM
) -> Multiplexer:
    made = Multiplexer([program], video_pid=VIDEO, base_27m=base_27m)
    made.add(AUDIO, list(aac()), lead_s=lead_s)
    return made


@cache
def clean(base_27m: int = 27_000_000) -> bytes:
    made = mux(base_27m)
    made.run(3)
    return made.output()


def packets_of(stream: bytes) -> list[bytearray]:
    return [bytearray(stream[at : at + 188]) for at in range(0, len(stream), PACKET_BYTES)]


def nth(packets: list[bytearray], pid: int, count: int, start: bool = False) -> int:
    """The index of a PID's packet with payload, by number."""
    found = [
        index
        for index, p in enumerate(packets)
        if (p[1] & 0x1F) << 8 | p[2] == pid and p[3] & 0x10 and (p[1] & 0x40 or not start)
    ]
    return found[count]


def kinds(packets: list[bytearray]) -> set[str]:
    return check(b"".join(packets)).kinds()


@pytest.mark.parametrize("base_s", [1, (PTS_MODULUS - 90_000) / 90_000])
def test_a_clean_stream_has_no_error(base_s: float) -> None:
    report = check(clean(int(base_s * 27e6)))
    assert report.errors == {}
    assert report.codecs == {AUDIO: "aac"}
    assert report.audio[AUDIO].leads_outside(20, 150) == 0
    assert len(report.audio[AUDIO].leads_ms) > 100


def test_a_lost_packet_is_a_continuity_error() -> None:
    packets = packets_of(clean())
    del packets[nth(packets, AUDIO, 50)]
    assert kinds(packets) == {"cc"}


def test_a_packet_may_come_twice_and_not_three_times() -> None:
    packets = packets_of(clean())
    at = nth(packets, VIDEO, 50)
    packets.insert(at, packets[at])
    assert kinds(packets) == set()
    packets.insert(at, packets[at])
    assert kinds(packets) == {"cc"}


def test_an_adaptation_only_packet_must_not_count() -> None:
    packets = packets_of(clean())
    pcr = next(p for p in packets[500:] if p[3] & 0x30 == 0x20)
    pcr[3] = pcr[3] & 0xF0 | (pcr[3] + 1) & 15
    assert kinds(packets) == {"cc"}


def test_a_discontinuity_indicator_excuses_a_loss() -> None:
    packets = packets_of(clean())
    del packets[nth(packets, VIDEO, 50)]
    after = nth(packets, VIDEO, 50)
    marked = bytearray(b"\x47\x01\x01" + bytes([0x20 | packets[after][3] - 1 & 15]))
    marked += b"\xb7\x80" + b"\xff" * 182
    packets.insert(after, marked)
    assert kinds(packets) == set()


@pytest.mark.parametrize("pid", [0, PMT])
def test_a_damaged_table_is_a_crc_error(pid: int) -> None:
    packets = packets_of(clean())
    packets[nth(packets, pid, 5)][15] ^= 1
    assert kinds(packets) == {"psi_crc"}


def test_a_changed_pmt_needs_a_new_version() -> None:
    for version, expected in ((0, {"pmt_version"}), (1, set())):
        made = mux()
        made.run(1.5)
        made.programs[0] = replace(PROGRAM, version=version, descriptors=b"\x05\x04HDMV")
        made.run(1.5)
        assert check(made.output()).kinds() == expected


def test_a_new_version_needs_a_changed_pmt() -> None:
    made = mux()
    made.run(1.5)
    made.programs[0] = replace(PROGRAM, version=1)
    made.run(1.5)
    assert check(made.output()).kinds() == {"pmt_version"}


@pytest.mark.parametrize("pid", [0, PMT])
def test_tables_more_than_half_a_second_apart_are_caught(pid: int) -> None:
    packets = packets_of(clean())
    for _ in range(6):
        packets[nth(packets, pid, 5)][1:3] = b"\x1f\xff"
    cc = 0
    for packet in packets:
        if (packet[1] & 0x1F) << 8 | packet[2] == pid:
            packet[3] = packet[3] & 0xF0 | cc
            cc = cc + 1 & 15
    assert kinds(packets) == {"psi_interval"}


def test_a_pcr_gap_and_a_pcr_jump_are_caught() -> None:
    packets = packets_of(clean())
    pcrs = [index for index, p in enumerate(packets) if p[3] & 0x30 == 0x20]
    for index in pcrs[20:24]:
        packets[index][1:3] = b"\x1f\xff"
    assert kinds(packets) == {"pcr_interval"}
    made = mux()
    made.run(1.5)
    made.base_27m += 27_000_000 * 60
    made.run(1.5)
    assert "pcr_jump" in check(made.output()).kinds()
    made = mux()
    made.run(1.5)
    made.base_27m += 27_000_000 * 60
    made.mark_discontinuity = True
    made.run(1.5)
    assert "pcr_jump" not in check(made.output()).kinds()


def test_pts_that_step_back_are_caught() -> None:
    made = Multiplexer([PROGRAM], video_pid=VIDEO)
    units = list(aac())
    units[60], units[61] = replace(units[61], at_s=units[60].at_s), units[60]
    units[61] = replace(units[61], at_s=units[59].at_s)
    made.add(AUDIO, units)
    made.run(3)
    assert "pts_order" in check(made.output()).kinds()


@pytest.mark.parametrize(
    ("lead_s", "expected"),
    [(0.05, set()), (-0.01, {"tstd_late"}), (0.4, {"tstd_overflow"})],
)
def test_an_access_unit_must_arrive_in_time_and_fit(lead_s: float, expected: set[str]) -> None:
    made = mux(lead_s=lead_s)
    made.run(3)
    report = check(made.output())
    assert report.kinds() == expected
    assert report.audio[AUDIO].leads_outside(lead_s * 1000 - 8, lead_s * 1000 + 8) == 0
    assert (report.audio[AUDIO].leads_outside(20, 150) > 0) == bool(expected)


def test_one_late_access_unit_is_enough() -> None:
    made = Multiplexer([PROGRAM], video_pid=VIDEO)
    units = list(aac())
    made.add(AUDIO, units[:60] + units[61:], lead_s=0.05)
    made.add(AUDIO, [units[60]], lead_s=-0.005)
    made.run(3)
    report = check(made.output())
    assert report.count("tstd_late") == 1
    assert report.audio[AUDIO].leads_outside(20, 150) == 1


def test_of_a_stream_that_is_cut_no_access_unit_behind_the_last_pcr_is_judged() -> None:
    """Nothing tells when it arrives: the rate before it is that of another part of the stream."""
    made = mux(lead_s=0.01)
    made.run(3)
    packets = packets_of(made.output())
    read = Packets(made.output())
    pcrs = np.flatnonzero((read.pid == VIDEO) & (read.pcr_27m >= 0))
    begin, end, cut = pcrs[-43:-40]
    between = [packet for packet in packets[begin:end] if packet[1:3] != b"\x1f\xff"]
    assert len(between) < (end - begin) / 2, "packets are further apart there"
    assert kinds(packets[:begin] + between + packets[end:cut]) == set()


def test_packets_in_one_heap_overflow_the_transport_buffer() -> None:
    packets = packets_of(clean())
    chosen = [nth(packets, AUDIO, number) for number in range(30, 36)]
    heap = [packets[index] for index in chosen]
    for index in reversed(chosen):
        del packets[index]
    packets[chosen[0] : chosen[0]] = heap
    assert "tstd_transport_overflow" in kinds(packets)


def test_unnamed_and_absent_pids_are_caught() -> None:
    extra = replace(PROGRAM, streams=(*PROGRAM.streams, Entry(0x0F, 0x333)))
    made = mux(program=extra)
    made.run(3)
    assert check(made.output()).kinds() == {"absent"}
    made = mux()
    made.add_payload(0x444, pes(b"\x00" * 300, 0), 1.0)
    made.run(3)
    assert check(made.output()).kinds() == {"unreferenced"}


def test_garbage_between_packets_and_transport_errors_are_caught() -> None:
    packets = packets_of(clean())
    broken = b"".join(packets[:1000]) + b"\x00" * 77 + b"".join(packets[1000:])
    assert check(broken).kinds() == {"sync"}
    packets[nth(packets, VIDEO, 30)][1] |= 0x80
    assert "tei" in kinds(packets)


def test_more_errors_than_the_reference_are_told_by_kind() -> None:
    packets = packets_of(clean())
    del packets[nth(packets, AUDIO, 50)]
    assert check(b"".join(packets)).worse_than(check(clean())) == {"cc": (1, 0)}
    assert check(clean()).worse_than(check(b"".join(packets))) == {}


def test_204_byte_packets_are_read() -> None:
    tailed = b"".join(bytes(p) + b"\x11" * 16 for p in packets_of(clean()))
    assert len(Packets(tailed)) == len(Packets(clean()))
    assert check(tailed).errors == {}


def test_pass_through_allows_one_constant_in_the_pcr_and_nothing_else() -> None:
    kept = {VIDEO, PMT, 0}
    moved = clean(27_000_000 - 2_700_000)
    source = Packets(clean())
    shifted = source.rows.copy()
    at = np.flatnonzero(source.pcr_27m >= 0)
    shifted[at, 6:12] = Packets(moved).rows[at, 6:12]
    same = passthrough_equal(clean(), shifted.tobytes(), kept)
    assert same.holds() and same.pcr_shifts_27m == {-2_700_000} and same.compared > 900
    shifted[at[7], 6:12] = source.rows[at[7], 6:12]
    assert not passthrough_equal(clean(), shifted.tobytes(), kept).holds()

    for fault in ("flip", "drop", "twice", "swap"):
        packets = packets_of(clean())
        one, other = nth(packets, VIDEO, 40), nth(packets, VIDEO, 41)
        if fault == "flip":
            packets[one][100] ^= 1
        elif fault == "drop":
            del packets[one]
        elif fault == "twice":
            packets.insert(one, packets[one])
        else:
            packets[one], packets[other] = packets[other], packets[one]
        assert not passthrough_equal(clean(), b"".join(packets), kept).holds(), fault


def test_the_promised_form_of_a_converted_track_is_checked() -> None:
    assert converted_form_errors(Packets(clean()), AUDIO) == []
    made = Multiplexer([PROGRAM], video_pid=VIDEO)
    made.add(AUDIO, list(aac()), units_per_pes=2, lead_s=0.06)
    made.run(3)
    assert "2 access units" in converted_form_errors(Packets(made.output()), AUDIO)[0]
    unaligned = packetize(pes(aac()[5].data, 900_000, aligned=False))
    made = Multiplexer([PROGRAM], video_pid=VIDEO)
    made.add_payload(AUDIO, b"".join(piece for _, piece in unaligned), 0.5)
    made.run(1)
    assert "alignment" in converted_form_errors(Packets(made.output()), AUDIO)[0]
