"""Which requests are answered now, later or never."""

import pytest

from tests.xg2g.outputs.hls.presented import Stream
from xg2g.outputs.hls.requests import Decision, file_decision, playlist_decision


@pytest.mark.parametrize(
    ("msn", "part", "decision"),
    [
        (None, None, Decision.SERVE),
        (None, 0, Decision.BAD),
        (3, None, Decision.SERVE),
        (3, 6, Decision.SERVE),
        (4, 6, Decision.SERVE),
        (4, 7, Decision.SERVE),
        (5, 0, Decision.SERVE),
        (5, 1, Decision.WAIT),
        (5, 10, Decision.WAIT),
        (5, 11, Decision.BAD),
        (5, None, Decision.WAIT),
        (6, None, Decision.WAIT),
        (7, None, Decision.BAD),
    ],
)
def test_a_blocking_reload_is_decided_by_the_listed_parts(
    msn: int | None, part: int | None, decision: Decision
) -> None:
    stream = Stream()
    stream.header()
    stream.segment(0)
    stream.segment(1)
    stream.part(2, 0)
    assert playlist_decision(stream.presentation, "video", msn, part) is decision


@pytest.mark.parametrize(
    ("name", "decision"),
    [
        ("header-3.mp4", Decision.SERVE),
        ("header-4.mp4", Decision.MISSING),
        ("3.m4s", Decision.SERVE),
        ("3.3.m4s", Decision.SERVE),
        ("4.m4s", Decision.MISSING),
        ("4.0.m4s", Decision.SERVE),
        ("4.1.m4s", Decision.WAIT),
        ("4.2.m4s", Decision.MISSING),
        ("3.vtt", Decision.MISSING),
        ("../video/3.m4s", Decision.MISSING),
        ("99999999999999999999.m4s", Decision.MISSING),
    ],
)
def test_a_file_is_served_awaited_or_missing(name: str, decision: Decision) -> None:
    stream = Stream()
    stream.header()
    stream.segment(0)
    stream.part(1, 0)
    assert file_decision(stream.presentation, "video", name) is decision
