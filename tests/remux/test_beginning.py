"""What leaves before every table is known, and when."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from tests.harness.remuxer import DEFAULTS, backend, chunks, remux, remux_pieces
from tests.oracle.multiplexer import Entry, Multiplexer, Program, language
from tests.oracle.transport import Packets, pmts
from tests.oracle.ts_checker import each_passthrough_equal
from tests.remux.broadcast import (
    AUDIO,
    PMT,
    VIDEO,
    assert_in_sync,
    clean,
    coded,
    judge,
    new_errors,
    service,
)

OTHER_PMT, OTHER_VIDEO, OTHER_AUDIO, UNNAMED, SHARED = 0x110, 0x111, 0x112, 0x200, 0x12


def multiplex(seconds: float = 3.0) -> Packets:
    """Two programs, a PID of the multiplex below 0x20 and one that no table names."""
    other = Program(8, OTHER_PMT, OTHER_VIDEO, (Entry(0x1B, OTHER_VIDEO), Entry(0x81, OTHER_AUDIO)))
    mux = Multiplexer([service("mp2"), other], rate_bps=3e6, video_pid=VIDEO)
    mux.add(AUDIO, list(coded("mp2", seconds)))
    mux.add(OTHER_AUDIO, list(coded("ac3", seconds, seed=2)), stream_id=0xBD)
    for number in range(round(seconds / 0.02)):
        for pid in (UNNAMED, SHARED):
            mux.add_payload(pid, b"\x00\x42\xb0\x20" + bytes([number]) * 150, number * 0.02)
    mux.run(seconds)
    return Packets(mux.output())


def late(packets: Packets, pid: int, share: float) -> bytes:
    """The multiplex without a PID's packets in its first part."""
    first = round(len(packets) * share)
    keep = (packets.pid != pid) | (np.arange(len(packets)) >= first)
    kept: bytes = packets.rows[keep].tobytes()
    return kept


def output_after(stream: bytes, packet: int) -> Packets:
    """What has left when the packet is in."""

    async def convert() -> bytes:
        async with await backend().open(DEFAULTS) as remuxer:
            return (await remuxer.process(stream[: (packet + 1) * 188])).data

    return Packets(asyncio.run(convert()))


def test_a_program_does_not_wait_for_the_pmt_of_another() -> None:
    source = late(multiplex(), OTHER_PMT, 0.1)
    known = pmts(Packets(source))[0]
    assert known.program == 7
    moment = known.section.packet + 20
    output, before = output_after(source, moment), Packets(source[: (moment + 1) * 188])
    for pid in (VIDEO, SHARED):
        assert len(output.of(pid)) == len(before.of(pid)) > 0
    assert not output.pids() & {OTHER_VIDEO, OTHER_AUDIO, UNNAMED}


@pytest.mark.parametrize("pid", [PMT, OTHER_PMT])
def test_what_waited_leaves_whole_and_in_its_order(pid: int) -> None:
    source = late(multiplex(), pid, 0.1)
    remuxed = remux(source)
    untouched = {VIDEO, OTHER_VIDEO, UNNAMED, SHARED}
    assert each_passthrough_equal(source, remuxed.output, untouched) == {}
    assert new_errors(source, remuxed) == {}
    for audio in (AUDIO, OTHER_AUDIO):
        assert_in_sync(judge(source, audio), gap_s=0.0)


def test_pids_that_no_table_names_wait_half_a_second_at_most() -> None:
    source = late(multiplex(), OTHER_PMT, 1.0)
    half_a_second = round(0.55 * 3e6 / 8 / 188)
    output = output_after(source, half_a_second)
    assert len(output.of(UNNAMED)) > 20
    assert each_passthrough_equal(source, remux(source).output, {UNNAMED, OTHER_AUDIO}) == {}


def test_pmts_that_came_before_the_pat_count() -> None:
    packets = multiplex()
    source = late(packets, 0, 0.05)
    pat = int(Packets(source).of(0)[0])
    assert {PMT, OTHER_PMT} <= Packets(source[: pat * 188]).pids()
    output = output_after(source, pat)
    assert {VIDEO, OTHER_VIDEO, UNNAMED, PMT, OTHER_PMT} <= output.pids()
    assert new_errors(source, remux(source)) == {}


def test_splits_of_a_multiplex_change_nothing() -> None:
    source = late(multiplex(1.0), OTHER_PMT, 0.3)
    whole = remux(source).output
    for size in (187, 1316, 5000):
        assert asyncio.run(remux_pieces(chunks(source, size))).output == whole


def test_packets_that_wait_are_packets_that_were_recognised() -> None:
    packets = Packets(clean(seconds=1))
    waiting = packets.rows[np.isin(packets.pid, [VIDEO, AUDIO])][:50].tobytes()

    async def convert() -> tuple[bytes, int]:
        async with await backend().open(DEFAULTS) as remuxer:
            output = (await remuxer.process(waiting)).data
            return output, (await remuxer.stats()).packets_in

    output, packets_in = asyncio.run(convert())
    assert output == b"" and packets_in >= 45


def test_an_added_track_takes_no_pid_that_waits() -> None:
    """A PID from where the search for a free one begins, on packets that no table names yet."""
    taken = 0x1D00
    mux = Multiplexer([service("mp2"), replace(service("mp2"), number=9, pmt_pid=0x120)])
    mux.programs[1] = Program(9, 0x120, taken, (Entry(0x06, taken, language("deu")),))
    mux.video_pid = VIDEO
    mux.add(AUDIO, list(coded("mp2", 2)))
    for number in range(50):
        mux.add_payload(taken, b"\x00\x00\x01\xbd\x00\x20\x80\x00\x00" + bytes(100), number * 0.02)
    mux.run(2)
    source = late(Packets(mux.output()), 0x120, 0.4)
    options = replace(DEFAULTS, keep_original=True)
    remuxed = remux(source, options)
    assert remuxed.track(AUDIO).output_pid != taken
    assert each_passthrough_equal(source, remuxed.output, {taken}) == {}
