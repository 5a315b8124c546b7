"""Noise is recognised, and a stream begins behind it."""

from pathlib import Path

import pytest

from xg2g.streaming.opening import PACKET_BYTES, Opening

CLIPS = Path(__file__).parents[2] / "xg2g" / "simulator" / "clips"


def packet(
    pid: int, payload: bytes = b"", *, starts: bool = False, scrambled: bool = False
) -> bytes:
    head = bytes((0x47, starts << 6 | pid >> 8, pid & 0xFF, scrambled << 7 | 0x10))
    return (head + payload).ljust(PACKET_BYTES, b"\xff")


PAT = packet(0, b"\0\0", starts=True)
PMT = packet(0x100, b"\0\x02", starts=True)
PMT_MORE = packet(0x100)
PICTURE = packet(0x101, b"\0\0\1\xe0", starts=True)
SOUND = packet(0x102, b"\0\0\1\xc0", starts=True)
NOISE = packet(0x101, scrambled=True)


def test_television_begins_with_its_first_picture_and_all_that_came_before() -> None:
    opening = Opening()
    assert opening.take(PAT + PMT + SOUND) is None
    assert opening.take(PICTURE + SOUND) == PAT + PMT + SOUND + PICTURE + SOUND


def test_radio_begins_after_a_few_packets() -> None:
    opening = Opening()
    assert opening.take((PAT + PMT + SOUND * 8) + SOUND) == PAT + PMT + SOUND * 9


def test_tables_alone_begin_nothing() -> None:
    opening = Opening()
    assert opening.take((PAT + PMT + PMT_MORE) * 100) is None
    assert not opening.scrambled
    assert opening.rest() == (PAT + PMT + PMT_MORE) * 100


def test_noise_begins_nothing_and_is_known_at_once() -> None:
    opening = Opening()
    assert opening.take(PAT + PMT + NOISE * 1000 + PAT + PMT + SOUND) is None
    assert opening.scrambled
    assert opening.rest() == b""


def test_behind_noise_the_tables_lead_to_the_first_clear_picture() -> None:
    opening = Opening()
    assert opening.take(PAT + PMT + PMT_MORE + SOUND + NOISE * 2000 + SOUND) is None
    assert opening.take(PICTURE + SOUND) == PAT + PMT + PMT_MORE + PICTURE + SOUND
    assert not opening.scrambled


def test_radio_behind_noise_begins_when_no_noise_comes_any_more() -> None:
    opening = Opening()
    assert opening.take(PAT + PMT + NOISE + SOUND * 199) is None
    assert opening.take(NOISE + SOUND * 199) is None
    assert opening.take(SOUND) == PAT + PMT + SOUND


@pytest.mark.parametrize("clip", sorted(CLIPS.glob("*.ts")), ids=lambda path: path.stem)
def test_every_test_card_begins_within_a_second_but_the_scrambled_one(clip: Path) -> None:
    content = clip.read_bytes()[: 8000 * PACKET_BYTES]
    opening = Opening()
    begun = opening.take(content)
    if "scrambled" in clip.stem:
        assert begun is None
        assert opening.scrambled
    else:
        assert begun == content, "nothing is lost of a clear stream"
