"""The input that a splice gives to a new remuxer."""

from pathlib import Path
from random import Random

import pytest

from xg2g_backends.embedded.shared_library import shared_library
from xg2g_backends.external.input_buffer import PAST_BYTES, WAITING_BYTES, InputBuffer

CLIPS = Path(__file__).parents[3] / "xg2g" / "simulator" / "clips"
CLIP = (CLIPS / "one-hd.ts").read_bytes()[: 3000 * 188]


def with_parity(stream: bytes) -> bytes:
    """Packets of 204 bytes."""
    return b"".join(stream[at : at + 188] + bytes(16) for at in range(0, len(stream), 188))


def pids(packets: bytes, stride: int = 188) -> list[int]:
    assert len(packets) % stride == 0
    assert packets[::stride] == b"\x47" * (len(packets) // stride)
    starts = range(0, len(packets), stride)
    return [int.from_bytes(packets[at + 1 : at + 3], "big") & 0x1FFF for at in starts]


def carried_over(past: bytes, program: int) -> bytes:
    return shared_library().splice_lead(past, program, after_gap=False)


PMT_PID = 0x100
"""Of the one service in the clip, whose PAT names the others of its transponder."""


@pytest.mark.parametrize("stride", [188, 204])
@pytest.mark.parametrize("rest", [0, 1, 100, 187])
def test_a_new_remuxer_gets_the_tables_and_the_unfinished_packet(stride: int, rest: int) -> None:
    stream = CLIP if stride == 188 else with_parity(CLIP)
    past = stream[: 2500 * stride + rest]
    carried = carried_over(past, 0)
    end = len(carried) - rest
    assert carried[end:] == past[len(past) - rest :]
    assert pids(carried[:end], stride) == [0, PMT_PID]
    assert all(carried[at : at + stride] in past for at in range(0, end, stride))


def test_the_tables_are_the_last_whole_ones() -> None:
    start = CLIP.rindex(b"\x47\x40\x00", 0, 2500 * 188)
    assert carried_over(CLIP[: start + 188], 0)[:188] == CLIP[start : start + 188]
    assert carried_over(CLIP[: start + 187], 0)[:188] != CLIP[start : start + 188]


def test_the_table_of_another_program_is_left_out() -> None:
    assert pids(carried_over(CLIP, 54321)) == [0]


def test_the_first_bytes_of_a_stream_are_part_of_the_lead() -> None:
    # The remuxer believes packets after five sync bytes, and has given nothing out before.
    assert carried_over(CLIP[: 4 * 188], 0) == CLIP[: 4 * 188]


def test_input_that_is_no_transport_stream_leaves_no_lead() -> None:
    assert carried_over(bytes(100_000), 0) == b""
    assert shared_library().splice_first_packet(bytes(1000)) == 1000
    assert shared_library().splice_keep_video(bytes(100_000), CLIP, 0) is None


def test_damaged_tables_do_no_harm() -> None:
    random = Random(1)
    for _ in range(200):
        damaged = bytearray(CLIP[: 300 * 188])
        for at in range(0, len(damaged), 188):
            if damaged[at + 1] & 0x40 and damaged[at + 2] == 0:
                damaged[at + random.randrange(3, 20)] = random.randrange(256)
        carried = carried_over(bytes(damaged), 0)
        assert all(carried[at : at + 188] in damaged for at in range(0, len(carried), 188))


VIDEO_PID, SOUND_PID = 0x101, 0x102


@pytest.mark.parametrize("rest", [0, 1, 100])
def test_a_dropped_body_keeps_its_video_and_no_audio(rest: int) -> None:
    cut = 1000 * 188 + rest
    taken = InputBuffer(0)
    taken.add(CLIP[:cut])
    drained(taken)
    taken.add(CLIP[cut:])
    given_up = taken.keep_video()
    taken.splice()
    body = taken.body(len(CLIP) * 2)
    lead = len(body) - len(CLIP) + cut
    kept, sent = body[lead:], CLIP[cut:]
    start = -rest % 188
    found, before = pids(kept[start:]), pids(sent[start:])
    assert SOUND_PID in before
    assert [pid == VIDEO_PID for pid in found] == [pid == VIDEO_PID for pid in before]
    assert set(found) <= {VIDEO_PID, 0x1FFF}
    lost = sum(pid not in (VIDEO_PID, 0x1FFF) for pid in before) * 188
    assert lost <= given_up <= lost + start
    assert all(
        kept[at : at + 188] == sent[at : at + 188]
        for at, pid in zip(range(start, len(sent), 188), before, strict=True)
        if pid == VIDEO_PID
    )


def test_after_a_gap_no_video_of_a_body_is_kept() -> None:
    taken = InputBuffer(0)
    taken.add(CLIP)
    drained(taken)
    taken.add(CLIP[:188_000])
    assert taken.drop_body() == 188_000
    taken.add(CLIP[:94_000])
    assert taken.keep_video() == 94_000


def drained(taken: InputBuffer, limit: int = 1_000_000) -> bytes:
    sent = b""
    while body := taken.body(limit):
        sent += body
        taken.acknowledge()
    return sent


def test_waiting_chunks_leave_together_and_no_body_is_too_long() -> None:
    taken = InputBuffer(0)
    for at in range(0, len(CLIP), 10_000):
        taken.add(CLIP[at : at + 10_000])
    assert taken.body(25_000) == CLIP[:25_000]
    assert taken.body(25_000) == CLIP[:25_000]
    taken.acknowledge()
    assert taken.acknowledged_bytes == 25_000
    assert drained(taken, 17) == CLIP[25_000:]
    assert taken.waiting_bytes == 0


def test_a_splice_neither_loses_nor_repeats_input() -> None:
    cut = 2200 * 188 + 77
    taken = InputBuffer(0)
    taken.add(CLIP[:cut])
    drained(taken)
    taken.add(CLIP[cut:])
    taken.splice()
    body = taken.body(len(CLIP))
    lead = len(body) - len(CLIP) + cut
    assert body[lead:] == CLIP[cut:]
    assert body[lead - 77 : lead] == CLIP[cut - 77 : cut]
    # The next is lost as well, before it has acknowledged anything.
    taken.splice()
    assert taken.body(len(CLIP)) == body


def test_the_oldest_input_is_dropped_and_the_rest_begins_with_a_whole_packet() -> None:
    taken = InputBuffer(0)
    taken.add(CLIP)
    drained(taken)
    piece = CLIP[:10_000]
    dropped = 0
    for _ in range(2 * WAITING_BYTES // len(piece)):
        taken.add(piece)
        dropped += taken.drop_oldest()
        assert taken.waiting_bytes <= WAITING_BYTES
    assert dropped > WAITING_BYTES // 2
    taken.splice()
    body = taken.body(100_000)
    assert body[:1880:188] == b"\x47" * 10
    assert pids(body[:188]) == [0]


def test_the_past_that_is_kept_is_bounded() -> None:
    taken = InputBuffer(0)
    for _ in range(10):
        taken.add(CLIP)
        drained(taken)
    assert sum(map(len, taken._past)) <= PAST_BYTES + len(CLIP)
