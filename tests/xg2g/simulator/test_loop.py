"""The endless loop: one clock, one continuity, whatever the recording ends with."""

from collections.abc import Iterator
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.transport import Packets, pes_packets, signed
from tests.oracle.ts_checker import check
from xg2g.simulator.loop import Loop
from xg2g.simulator.recording import parse_recording
from xg2g.simulator.transport import PCR_HZ, PCR_MODULUS, PTS_MODULUS

ROUND_S = 9.6
WRAP_S = PTS_MODULUS / 90_000
CLIPS = ("one-hd.ts", "two-hd.ts", "three-latm.ts", "four-radio.ts")


def clip(name: str) -> Loop:
    data = resources.files("xg2g.simulator").joinpath("clips", name).read_bytes()
    (program,) = parse_recording(data).programs
    return Loop(data, program.pcr_pid)


def around(loop: Loop, position_s: float, before_s: float = 2.0, after_s: float = 2.0) -> bytes:
    return loop.read(loop.packet_at(position_s - before_s), loop.packet_at(position_s + after_s))


@pytest.fixture(params=CLIPS)
def loop(request: pytest.FixtureRequest) -> Loop:
    return clip(request.param)


def test_a_round_lasts_a_whole_number_of_frames_in_every_codec(loop: Loop) -> None:
    assert loop.duration_s == pytest.approx(ROUND_S, abs=1e-12)


def test_the_joint_has_no_error_that_a_broadcast_would_not_have(loop: Loop) -> None:
    report = check(around(loop, 3 * ROUND_S, 4, 4))
    assert report.kinds() == {"absent"}, report.errors


def test_each_pcr_is_one_interval_after_the_last_one_also_over_the_joint(loop: Loop) -> None:
    pcrs = pcrs_of(loop.read(0, loop.packet_at(3 * ROUND_S)))
    steps = {(b - a) % PCR_MODULUS for a, b in zip(pcrs, pcrs[1:], strict=False)}
    assert len(steps) == 1
    assert steps.pop() in (PCR_HZ * 40 // 1000, PCR_HZ * 48 // 1000)


@pytest.mark.parametrize("wraps", [1, 2])
def test_clock_and_stamps_run_through_the_33_bit_wrap(loop: Loop, wraps: int) -> None:
    first_s = pcrs_of(loop.read(0, 400))[0] / PCR_HZ
    wrap_s = wraps * WRAP_S - first_s
    data = around(loop, wrap_s)
    assert check(data).kinds() == {"absent"}
    pcrs = pcrs_of(data)
    steps = [signed(b - a, PCR_MODULUS) for a, b in zip(pcrs, pcrs[1:], strict=False)]
    assert any(b < a for a, b in zip(pcrs, pcrs[1:], strict=False)), "the wrap is in the sample"
    # Times count from the first packet; in the radio clip the first PCR stands a little later.
    assert max(steps) - min(steps) <= 1


def test_pts_keep_their_distance_to_the_pcr_over_two_wraps(loop: Loop) -> None:
    rounds = round(2 * WRAP_S / ROUND_S)
    start, end = loop.packet_at(0), loop.packet_at(ROUND_S - 0.5)
    first = loop.read(start, end)
    shift = loop.packet_at(rounds * ROUND_S) - start
    last = loop.read(start + shift, end + shift)
    assert distances(first)
    assert distances(last) == pytest.approx(distances(first), abs=1)


def test_only_clocks_stamps_and_counters_differ_between_rounds(loop: Loop) -> None:
    size = loop.packet_at(ROUND_S)
    first, second = loop.read(0, size), loop.read(size, 2 * size)
    assert [masked(p) for p in packets(first)] == [masked(p) for p in packets(second)]


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 5000), max_size=8))
def test_any_way_of_reading_gives_the_same_packets(cuts: list[int]) -> None:
    loop = RADIO
    edges = [0, *sorted(cuts), 5000]
    parts = [loop.read(a, b) for a, b in zip(edges, edges[1:], strict=False)]
    assert b"".join(parts) == loop.read(0, 5000)


def test_a_start_shortly_before_the_wrap_is_a_shift_of_everything(loop: Loop) -> None:
    end = loop.packet_at(4.0)
    shift_27m = -loop.clock_at(2.0) % PCR_MODULUS
    shifted = loop.read(0, end, shift_27m)
    pcrs = pcrs_of(shifted)
    wraps = [i for i, (a, b) in enumerate(zip(pcrs, pcrs[1:], strict=False)) if b < a]
    assert len(wraps) == 1
    assert abs(signed(pcrs[wraps[0] + 1], PCR_MODULUS)) < PCR_HZ // 10
    assert distances(shifted) == pytest.approx(distances(loop.read(0, end)), abs=1)


def test_losses_inside_the_recording_stay_and_the_joint_adds_none() -> None:
    data = bytearray(resources.files("xg2g.simulator").joinpath("clips/four-radio.ts").read_bytes())
    audio = [at for at in range(0, len(data), 188) if data[at + 1 : at + 3] == b"\x03\x01"]
    del data[audio[20] : audio[20] + 188]
    (program,) = parse_recording(bytes(data)).programs
    loop = Loop(bytes(data), program.pcr_pid)
    three_rounds = loop.read(0, 3 * (len(data) // 188))
    assert check(three_rounds).count("cc") == 3


def test_a_recording_whose_clock_jumps_still_goes_on_at_the_joint() -> None:
    data = resources.files("xg2g.simulator").joinpath("clips/four-radio.ts").read_bytes()
    plain = clip("four-radio.ts")
    half = len(data) // 188 // 2
    jumped = plain.read(0, half) + plain.read(half, 2 * half, 3600 * PCR_HZ)
    (program,) = parse_recording(jumped).programs
    loop = Loop(jumped, program.pcr_pid)
    assert loop.duration_s == pytest.approx(ROUND_S, rel=0.02)
    report = check(loop.read(half + 50, 3 * half))
    assert report.count("pcr_jump") == 0
    assert report.count("cc") == 0


def pcrs_of(data: bytes) -> list[int]:
    return [int(pcr) for pcr in Packets(data).pcr_27m if pcr >= 0]


def distances(data: bytes) -> list[int]:
    """PTS minus the last PCR before it, in 90 kHz units, of every PES packet in order."""
    table = Packets(data)
    stamps = {}
    for pid in table.pids() - {0}:
        for pes in pes_packets(table, pid):
            if pes.pts_90k is not None:
                stamps[pes.packet] = pes.pts_90k
    found = []
    clock: int | None = None
    for i, pcr in enumerate(table.pcr_27m):
        if pcr >= 0:
            clock = int(pcr) // 300
        if clock is not None and i in stamps:
            found.append(signed(stamps[i] - clock, PTS_MODULUS))
    return found


def packets(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 188] for at in range(0, len(data), 188))


def masked(packet: bytes) -> bytes:
    """The packet without its continuity counter, PCR, and stamps."""
    out = bytearray(packet)
    out[3] &= 0xF0
    at = 4
    if out[3] & 0x20:
        at = 5 + out[4]
        if out[4] >= 7 and out[5] & 0x10:
            out[6:12] = bytes(6)
    if out[1] & 0x40 and out[at : at + 3] == b"\0\0\1":
        out[at + 9 : at + 9 + out[at + 8]] = bytes(out[at + 8])
    return bytes(out)


RADIO = clip("four-radio.ts")
