"""How fast a stream is packaged that may come faster than it plays."""

import pytest

from tests.xg2g.outputs.hls.doubles import CLIP, Clock, house
from tests.xg2g.streaming.receiver import turns
from xg2g.outputs.hls.packaging import AHEAD_S, ReadAhead

pytestmark = pytest.mark.anyio


MANY = 2000
"""Turns of the event loop in which all that was sent is read."""


async def test_a_film_on_the_web_is_packaged_no_faster_than_it_plays() -> None:
    async with house() as home:
        output = home.open()
        await turns()
        (reader,) = home.source.open_now
        reader.may_rush, reader.unread_bytes = True, 1
        for _ in range(20):
            home.source.send(CLIP)
        with output.clients.asking("player"):
            await output.ready()
            await turns(MANY)
            length_s = output.presentation.window.listed_s
            assert home.source.pieces.qsize() > 0
            assert AHEAD_S - 5 < length_s < AHEAD_S + 10
            for _ in range(20):
                await home.clock.passes(1)
                await turns(MANY)
            assert 15 < output.presentation.window.listed_s - length_s < 25
            assert b"#EXTINF" in output.playlist("video").plain


async def test_a_clock_that_is_a_little_fast_is_never_waited_for() -> None:
    clock = Clock()
    read_ahead = ReadAhead(clock.now)
    for _ in range(100_000):
        clock.now_s += 10
        assert read_ahead.wait_s(10 * (1 + 50e-6)) == 0
