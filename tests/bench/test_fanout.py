"""The figures of many viewers are true: lag, joins and identity come from the received bytes."""

from __future__ import annotations

import math
import random
import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.fanout.captured import Captured
from bench.fanout.clips import USUAL
from bench.fanout.join import SAME_BYTES, Joined, Joins, _same_from
from bench.fanout.lag import PCR_HZ, Broadcast, newest_pcr_s
from bench.fanout.load import Load
from bench.fanout.picture import decoded, first_picture
from bench.fanout.watchers import SAMPLE_EVERY, Seen, Watchers
from tests.oracle.transport import PACKET_BYTES, Packets, pes_packets
from xg2g.simulator.transport import encode_pcr

if TYPE_CHECKING:
    from collections.abc import Iterator

CARD = Path(__file__).parents[2] / "xg2g/simulator/clips/two-hd.ts"
CARD_VIDEO_PID = 0x201


def packet(pcr_s: float | None = None) -> bytes:
    if pcr_s is None:
        return b"G\x01\x00\x10".ljust(PACKET_BYTES, b"\xaa")
    head = b"G\x01\x00\x20\xb7\x10" + encode_pcr(round(pcr_s * PCR_HZ))
    return head.ljust(PACKET_BYTES, b"\xff")


@pytest.mark.parametrize("first_packet", [0, 1, 100, 187])
def test_the_newest_clock_is_found_wherever_the_packets_begin(first_packet: int) -> None:
    stream = bytes(first_packet) + packet(5) + packet() + packet(7.5) + packet() + packet(9)[:150]
    assert newest_pcr_s(memoryview(stream), first_packet) == 7.5


def test_no_clock_is_found_where_there_is_none() -> None:
    assert newest_pcr_s(memoryview(packet() * 3), 0) is None
    assert newest_pcr_s(memoryview(packet(1)[:100]), 0) is None


def test_a_stream_that_lost_its_step_is_not_measured() -> None:
    with pytest.raises(ValueError, match="out of step"):
        newest_pcr_s(memoryview(packet(1) + b"x" + packet(2) * 2), 0)


def test_lag_grows_for_who_gets_nothing_and_for_who_gets_old_bytes() -> None:
    broadcast = Broadcast()
    broadcast.arrived(pcr_s=100.0, now_s=1000.2)
    broadcast.arrived(pcr_s=101.0, now_s=1001.0)
    assert broadcast.lag_s(101.0, 1001.0) == pytest.approx(0)
    assert broadcast.lag_s(101.0, 1003.0) == pytest.approx(2)
    assert broadcast.lag_s(100.5, 1001.5) == pytest.approx(1)


def test_lag_counts_when_all_viewers_of_the_channel_fall_behind_together() -> None:
    broadcast = Broadcast()
    for second in range(60):
        broadcast.arrived(pcr_s=second, now_s=second * 1.05)
    assert broadcast.lag_s(59, 59 * 1.05) == pytest.approx(59 * 0.05)


CALM = Load(
    asked=10,
    channels=2,
    lasted_s=5.0,
    seen=Seen(viewers=10, lag_s=[0.1, 0.2, 0.2, 0.3]),
    cpu={},
    resident_bytes={},
    skipped={},
    lost_by_receiver=0,
    load_average=1.0,
)


@pytest.mark.parametrize(
    ("load", "told"),
    [
        (replace(CALM, seen=Seen(viewers=10, late=2)), "2 viewers were more than 1 s behind"),
        (replace(CALM, seen=Seen(viewers=9, ended=1)), "1 streams ended"),
        (replace(CALM, seen=Seen(viewers=7, refused={"HTTP/1.1 503 No": 3})), "503"),
        (replace(CALM, seen=Seen(viewers=8)), "2 viewers have got nothing"),
        (replace(CALM, skipped={"xg2g_skips_total": 4.0}), "skipped"),
        (replace(CALM, lost_by_receiver=1), "too slow for the receiver"),
    ],
)
def test_each_thing_that_breaks_under_load_is_told_alone(load: Load, told: str) -> None:
    assert CALM.broken() == []
    (line,) = load.broken()
    assert told in line


@contextmanager
def serving(*answers: bytes, until: threading.Event | None = None) -> Iterator[int]:
    """A server that gives each connection one of these and closes it, `until` then; its port."""

    def serve() -> None:
        for answer in answers:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)
                if until:
                    until.wait()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve)
        server.start()
        yield listening.getsockname()[1]
        server.join()


def test_who_is_refused_and_whose_stream_ends_is_counted() -> None:
    stream = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + packet(3) * 40
    with serving(stream, b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as port:
        watchers = Watchers(port)
        watchers.watch("/a", 1)
        watchers.watch("/b", 1)
        seen = watchers.measure(0.5)
    assert seen.refused == {"HTTP/1.1 503 Service Unavailable": 1}
    assert seen.ended == 1
    assert seen.late == 0


@pytest.mark.parametrize("turns", range(SAMPLE_EVERY))
def test_a_clock_counts_in_whichever_turn_it_came(turns: int) -> None:
    stream = b"HTTP/1.1 200 OK\r\n\r\n" + packet(3) * 40
    watched = threading.Event()
    with serving(stream, until=watched) as port:
        watchers = Watchers(port)
        watchers.watch("/a", 1)
        for _ in range(turns):
            watchers.turn()
        seen = watchers.measure(0.5)
        watchers.leave()
        watched.set()
    assert seen.viewers == 1
    assert seen.lag_s
    assert 0 <= seen.lag_s[0] < 10


@pytest.fixture(scope="module")
def pictures() -> tuple[bytes, list[int]]:
    """A stream, and where in it key frames begin."""
    stream = CARD.read_bytes()
    packets = Packets(stream)
    units = pes_packets(packets, CARD_VIDEO_PID)
    key = [it.packet * PACKET_BYTES for it in units if b"\0\0\1\x67" in it.data[:64]]
    tables = [int(packets.of(pid)[0]) * PACKET_BYTES for pid in (0, 0x200)]
    head = b"".join(stream[at : at + PACKET_BYTES] for at in tables)
    return head + stream[key[0] :], [len(head), *(at - key[0] + len(head) for at in key[1:])]


def test_a_stream_that_begins_with_a_key_frame_shows_it_without_complaint(
    pictures: tuple[bytes, list[int]], tmp_path: Path
) -> None:
    stream, _ = pictures
    file = tmp_path / "joined.ts"
    file.write_bytes(stream)
    pts_90k, complaints = decoded(file)
    assert complaints == []
    assert pts_90k is not None
    first = pes_packets(Packets(stream), CARD_VIDEO_PID)
    picture = first_picture(stream, pts_90k)
    assert picture is not None
    assert picture.pts_90k == first[0].pts_90k
    assert picture.end == (first[1].packet + 1) * PACKET_BYTES
    assert abs(picture.sound_after_s) < 1.5


def test_a_stream_that_begins_between_key_frames_is_complained_of_and_shows_later(
    pictures: tuple[bytes, list[int]], tmp_path: Path
) -> None:
    stream, key = pictures
    begin = (key[0] + key[1]) // 2 // PACKET_BYTES * PACKET_BYTES
    joined = stream[: key[0]] + stream[begin:]
    file = tmp_path / "joined.ts"
    file.write_bytes(joined)
    pts_90k, complaints = decoded(file)
    assert complaints
    picture = first_picture(joined, pts_90k) if pts_90k is not None else None
    assert picture is None or picture.end > key[1] - begin + key[0]


def test_a_picture_is_there_only_once_its_last_byte_is() -> None:
    viewer = Captured(asked_s=100.0, times_s=[100.1, 100.4, 101.0], ends=[10, 20, 30])
    assert viewer.after_s(10) == pytest.approx(0.1)
    assert viewer.after_s(11) == pytest.approx(0.4)
    assert viewer.after_s(30) == pytest.approx(1.0)
    assert math.isinf(viewer.after_s(31))


def test_identity_begins_behind_the_last_byte_that_differs() -> None:
    chance = random.Random(1)
    common = chance.randbytes(3 * SAME_BYTES)
    before = chance.randbytes(5000) + common + chance.randbytes(700)
    own = chance.randbytes(10 * PACKET_BYTES - 1) + bytes([before[4999] ^ 1])
    assert _same_from(own + common, before) == 10 * PACKET_BYTES
    assert _same_from(common[:-1] + bytes([common[-1] ^ 1]), before) is None
    damaged = bytearray(own + common)
    damaged[15 * PACKET_BYTES] ^= 1
    assert _same_from(bytes(damaged), before) == 15 * PACKET_BYTES + 1


GOOD = Joined("HTTP/1.1 200 OK", 0.05, 0.02, (), -0.9, 0.1, 0.99, 400)


@pytest.mark.parametrize(
    ("joined", "told"),
    [
        (Joined("HTTP/1.1 200 OK"), "1 failed"),
        (replace(GOOD, complaints=("no frame!",)), "logged 1 errors"),
        (replace(GOOD, sync_ms=1.1), "1 heard the sound"),
        (replace(GOOD, correlation=0.5), "1 heard the sound"),
        (replace(GOOD, sound_after_s=-3.0), "begins too far"),
        (replace(GOOD, same_from=None), "1 never had the bytes"),
    ],
)
def test_each_thing_that_is_wrong_with_a_join_is_told_alone(joined: Joined, told: str) -> None:
    assert Joins(USUAL, [GOOD, GOOD]).wrong() == []
    (line,) = Joins(USUAL, [GOOD, joined]).wrong()
    assert told in line
