"""Noise is recognised, and a stream begins with what a decoder can begin with."""

import random

import pytest

from xg2g.simulator.transport import encode_stamp, section_packets, with_crc
from xg2g.streaming.opening import PATIENCE_S, Opening, Phase
from xg2g.streaming.opening.packet import PACKET_BYTES

PMT_PID, VIDEO, SOUND_PID, DATA = 0x100, 0x101, 0x102, 0x103
MPEG2, MPEG_AUDIO, H264, HEVC, VVC = 0x02, 0x03, 0x1B, 0x24, 0x33
START_90K = 900_000


def packet(
    pid: int,
    payload: bytes = b"",
    *,
    starts: bool = False,
    scrambled: bool = False,
    rai: bool = False,
) -> bytes:
    control = scrambled << 7 | (0x30 if rai else 0x10)
    head = bytes((0x47, starts << 6 | pid >> 8, pid & 0xFF, control)) + b"\x01\x40" * rai
    return (head + payload).ljust(PACKET_BYTES, b"\xff")


def section(pid: int, table_id: int, number: int, content: bytes) -> bytes:
    head = bytes((table_id, 0xB0 | (len(content) + 9) >> 8, (len(content) + 9) & 0xFF))
    section = with_crc(head + number.to_bytes(2, "big") + b"\xc1\0\0" + content)
    return b"".join(map(bytes, section_packets(pid, section)))


def pmt(*streams: tuple[int, int], descriptors: bytes = b"") -> bytes:
    content = b"\xe1\x01" + (0xF000 | len(descriptors)).to_bytes(2, "big") + descriptors
    for stream_type, pid in streams:
        content += bytes((stream_type, 0xE0 | pid >> 8, pid & 0xFF, 0xF0, 0))
    return section(PMT_PID, 0x02, 7, content)


def pes(pid: int, stream_id: int, at_s: float, content: bytes = b"", *, rai: bool = False) -> bytes:
    stamp = encode_stamp(2, round(START_90K + at_s * 90_000))
    head = b"\0\0\1" + bytes((stream_id, 0, 0, 0x80, 0x80, 5)) + stamp
    return packet(pid, head + content, starts=True, rai=rai)


def picture(at_s: float = 0.0, content: bytes = b"\0\0\1\x09\xf0\0\0\1\x41", **more: bool) -> bytes:
    return pes(VIDEO, 0xE0, at_s, content, **more)


def sound(at_s: float = 0.0, pid: int = SOUND_PID) -> bytes:
    return pes(pid, 0xC0, at_s)


PAT = section(0, 0x00, 1, b"\0\x07\xe1\0")
TELEVISION = PAT + pmt((H264, VIDEO), (MPEG_AUDIO, SOUND_PID))
RADIO = PAT + pmt((MPEG_AUDIO, SOUND_PID))
PARAMETERS = {
    MPEG2: b"\0\0\1\xb3\x2d\x02\x40",
    H264: b"\0\0\1\x09\xf0\0\0\1\x67\x64",
    HEVC: b"\0\0\1\x46\x01\x50\0\0\1\x40\x01",
}
KEY = picture(content=PARAMETERS[H264])
MORE_PICTURE, MORE_SOUND = packet(VIDEO), packet(SOUND_PID)
NOISE = packet(VIDEO, scrambled=True)


def test_television_begins_with_its_tables_and_a_picture_that_decodes_by_itself() -> None:
    opening = Opening()
    assert opening.take(TELEVISION + sound() + picture() + MORE_PICTURE + MORE_SOUND) == b""
    assert opening.phase is Phase.CLEAR
    assert opening.take(picture() + sound() + KEY + sound()) == TELEVISION + KEY + sound()


@pytest.mark.parametrize("stream_type", PARAMETERS)
def test_the_parameters_of_each_codec_are_known(stream_type: int) -> None:
    opening = Opening()
    for parameters in PARAMETERS.values():
        begins = parameters == PARAMETERS[stream_type]
        begun = opening.take(PAT + pmt((stream_type, VIDEO)) + picture(content=parameters))
        assert bool(begun) is begins
        if begins:
            break


def test_an_indicator_on_every_picture_is_not_believed() -> None:
    opening = Opening()
    assert opening.take(TELEVISION + picture(rai=True)) == b""
    assert opening.take(picture(content=PARAMETERS[H264], rai=True))


@pytest.mark.parametrize(
    ("stream_type", "content"), [(VVC, b"\0\0\1\x09"), (H264, b"")], ids=["codec", "first packet"]
)
def test_an_indicator_is_believed_where_nothing_else_tells(
    stream_type: int, content: bytes
) -> None:
    opening = Opening()
    tables = PAT + pmt((stream_type, VIDEO))
    assert opening.take(tables + picture(content=content)) == b""
    begin = picture(content=content, rai=True)
    assert opening.take(begin) == tables + begin


def test_video_is_what_the_whole_pmt_says_though_it_takes_several_packets() -> None:
    tables = PAT + pmt((MPEG_AUDIO, SOUND_PID), (H264, VIDEO), descriptors=b"\x0a\xc8" + bytes(200))
    assert len(tables) == 3 * PACKET_BYTES
    opening = Opening()
    assert opening.take(tables + sound() * 20) == b""
    assert opening.take(KEY) == tables + KEY


def test_a_damaged_pmt_is_not_believed() -> None:
    damaged = bytearray(pmt((MPEG_AUDIO, SOUND_PID)))
    damaged[15] ^= 1
    opening = Opening()
    assert opening.take(TELEVISION + bytes(damaged) + sound() * 20) == b""
    assert opening.take(KEY) == TELEVISION + KEY


def test_a_table_that_is_under_way_goes_on_behind_the_beginning() -> None:
    tables = PAT + pmt((H264, VIDEO), descriptors=b"\x0a\xc8" + bytes(200))
    first, second = tables[-2 * PACKET_BYTES : -PACKET_BYTES], tables[-PACKET_BYTES:]
    opening = Opening()
    assert opening.take(tables + first) == b""
    assert opening.take(KEY + second) == tables + first + KEY + second


def test_each_pid_begins_with_a_whole_unit() -> None:
    opening = Opening()
    subtitles = packet(DATA, b"\0\0\1\xbd", starts=True)
    more = packet(DATA)
    begun = opening.take(TELEVISION + KEY + MORE_SOUND + more + MORE_PICTURE + subtitles + more)
    assert begun == TELEVISION + KEY + MORE_PICTURE + subtitles + more
    assert opening.take(MORE_SOUND + sound() + MORE_SOUND) == sound() + MORE_SOUND
    assert opening.phase is Phase.OVER


def test_a_clock_without_payload_is_never_left_out() -> None:
    clock = bytes((0x47, DATA >> 8, DATA & 0xFF, 0x20, 183, 0x10)).ljust(PACKET_BYTES, b"\0")
    assert Opening().take(TELEVISION + KEY + clock) == TELEVISION + KEY + clock


def test_sound_begins_within_a_second_of_the_picture() -> None:
    opening = Opening()
    begin = picture(1.5, PARAMETERS[H264])
    assert opening.take(TELEVISION + begin) == TELEVISION + begin
    assert (
        opening.take(sound(0.2) + MORE_SOUND + sound(0.6) + MORE_SOUND) == sound(0.6) + MORE_SOUND
    )


def test_what_runs_by_another_clock_is_not_left_out() -> None:
    begin = picture(3600, PARAMETERS[H264])
    assert Opening().take(TELEVISION + begin + sound(0)) == TELEVISION + begin + sound(0)


def test_after_five_seconds_any_picture_will_do() -> None:
    opening = Opening()
    seconds = (n / 25 for n in range(PATIENCE_S * 25))
    assert opening.take(TELEVISION + b"".join(map(picture, seconds))) == b""
    assert opening.take(picture(PATIENCE_S)) == TELEVISION + picture(PATIENCE_S)


def test_without_a_clock_patience_is_counted_in_packets() -> None:
    opening = Opening()
    no_pts = packet(VIDEO, b"\0\0\1\xe0\0\0\x80\0\0", starts=True)
    taken = 0
    while not opening.take(TELEVISION * (not taken) + no_pts * 1000):
        taken += 1000 * PACKET_BYTES
    assert 15_000_000 < taken < 20_000_000


def test_video_that_is_announced_and_does_not_come_holds_sound_up_for_a_second() -> None:
    opening = Opening()
    assert opening.take(TELEVISION + b"".join(sound(n / 10) for n in range(10))) == b""
    assert opening.take(sound(1.0)) == TELEVISION + sound(1.0)


def test_radio_begins_after_a_few_packets_with_all_that_came() -> None:
    opening = Opening()
    assert opening.take(RADIO + sound() * 7) == b""
    assert opening.take(sound() * 2) == RADIO + sound() * 9


def test_pictures_wait_for_their_tables_and_none_of_them_is_lost() -> None:
    opening = Opening()
    assert opening.take(picture() + KEY + MORE_PICTURE * 50) == b""
    begun = opening.take(TELEVISION + sound())
    assert begun == TELEVISION + KEY + MORE_PICTURE * 50 + TELEVISION + sound()


def test_what_never_has_tables_passes_as_it_is() -> None:
    assert Opening().take(sound() * 10) == sound() * 10
    opening = Opening()
    silent = b"".join(picture(n / 25) for n in range(PATIENCE_S * 25))
    assert opening.take(silent) == b""
    assert opening.take(picture(PATIENCE_S)) == silent + picture(PATIENCE_S)


@pytest.mark.parametrize("content", [TELEVISION, packet(0x1FFF)], ids=["tables", "stuffing"])
def test_what_nobody_sees_or_hears_begins_nothing_and_fills_no_memory(content: bytes) -> None:
    opening = Opening()
    for _ in range(100):
        assert opening.take(content * 100) == b""
    assert len(opening.rest()) <= 1024 * 1024


def test_a_stream_that_ends_before_its_tables_are_whole_leaves_what_it_had() -> None:
    opening = Opening()
    assert opening.take(PAT + sound()) == b""
    assert opening.rest() == PAT + sound()


def test_noise_begins_nothing_and_is_known_at_once() -> None:
    opening = Opening()
    assert opening.take(TELEVISION + NOISE * 1000 + TELEVISION + sound()) == b""
    assert opening.phase is Phase.SCRAMBLED
    assert opening.rest() == b""


def test_behind_noise_the_tables_lead_to_a_clear_picture_that_decodes_by_itself() -> None:
    opening = Opening()
    assert opening.take(TELEVISION + sound() + NOISE * 2000 + sound()) == b""
    assert opening.take(picture()) == b""
    assert opening.phase is Phase.CLEAR
    assert opening.take(KEY + sound()) == TELEVISION + KEY + sound()


def test_noise_that_comes_back_is_noise_again() -> None:
    opening = Opening()
    opening.take(TELEVISION + picture() + NOISE)
    assert opening.phase is Phase.SCRAMBLED


def noise(pid: int, number: int, *, starts: bool = False, scrambled: bool = False) -> bytes:
    content = random.Random(number).randbytes(184)
    return packet(pid, content, starts=starts, scrambled=scrambled)


def with_bits(packets: bytes) -> bytes:
    """The packets as they are, with transport_scrambling_control set."""
    out = bytearray(packets)
    for at in range(0, len(out), PACKET_BYTES):
        out[at + 3] |= 0x80
    return bytes(out)


def test_noise_whose_bits_say_clear_is_noise() -> None:
    opening = Opening()
    pictures = (noise(VIDEO, n, starts=True) + noise(VIDEO, -n) * 3 for n in range(1, 50))
    assert opening.take(TELEVISION + b"".join(pictures)) == b""
    assert opening.phase is Phase.SCRAMBLED
    assert opening.take(KEY) == TELEVISION + KEY


def test_radio_that_is_noise_whose_bits_say_clear_begins_nothing() -> None:
    opening = Opening()
    frames = (noise(SOUND_PID, n, starts=True) for n in range(100))
    assert opening.take(RADIO + b"".join(frames)) == b""
    assert opening.phase is Phase.SCRAMBLED


def test_pictures_that_are_noise_inside_are_noise() -> None:
    opening = Opening()
    for number in range(20):
        content = random.Random(number).randbytes(170)
        begun = opening.take(TELEVISION * (not number) + picture(content=content) + MORE_PICTURE)
        assert begun == b""
    assert opening.phase is Phase.SCRAMBLED
    assert opening.take(picture() + KEY)


def test_clear_packets_whose_bits_say_scrambled_are_clear() -> None:
    opening = Opening()
    tables, begin = with_bits(TELEVISION), with_bits(KEY)
    assert opening.take(tables + with_bits(picture() + MORE_PICTURE * 9)) == b""
    assert opening.phase is Phase.CLEAR
    assert opening.take(begin) == tables + begin


def test_bits_are_believed_again_once_they_are_right() -> None:
    opening = Opening()
    opening.take(TELEVISION + with_bits(picture() + MORE_PICTURE))
    opening.take(noise(VIDEO, 1, starts=True, scrambled=True) + noise(VIDEO, 2, scrambled=True))
    assert opening.phase is Phase.SCRAMBLED


@pytest.mark.parametrize("stream_type", [0x05, 0x0B, 0x86])
def test_sections_are_not_taken_for_noise(stream_type: int) -> None:
    """A carousel's are compressed, and begin with a pointer_field."""
    opening = Opening()
    tables = PAT + pmt((stream_type, DATA), (MPEG_AUDIO, SOUND_PID))
    assert opening.take(tables + b"".join(noise(DATA, n, starts=True) for n in range(20)))


def test_data_that_stays_scrambled_does_not_make_a_clear_channel_noise() -> None:
    opening = Opening()
    opening.take(TELEVISION + picture() + packet(DATA, scrambled=True) * 10)
    assert opening.phase is Phase.CLEAR


def test_radio_behind_noise_begins_when_no_noise_comes_any_more() -> None:
    opening = Opening()
    noise = packet(SOUND_PID, scrambled=True)
    assert opening.take(RADIO + noise + sound() * 199) == b""
    assert opening.take(noise + sound() * 199) == b""
    assert opening.take(sound()) == RADIO
    assert opening.take(sound()) == sound()
