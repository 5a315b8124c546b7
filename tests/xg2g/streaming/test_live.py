"""When a stream counts as begun, and when as noise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import Message

from tests.backends.fake import FakeBackend
from tests.xg2g.streaming.test_opening import (
    KEY,
    NOISE,
    TELEVISION,
    VIDEO,
    noise,
    picture,
    sound,
    with_bits,
)
from xg2g.metrics import Metrics, Outcome
from xg2g.receiver.errors import NoSignalError, ReceiverError, ScrambledError, TimeLimitError
from xg2g.receiver.service_reference import ServiceReference
from xg2g.receiver.stream import LiveSource
from xg2g.streaming.live import LiveStreams
from xg2g.streaming.response import LiveResponse
from xg2g.streaming.viewers import Viewers
from xg2g.web.truncated import TruncatedError
from xg2g_backends.base import RemuxOptions

pytestmark = pytest.mark.anyio

SERVICE = ServiceReference.parse("1:0:19:7:1:1:C00000:0:0:0:")
OTHER = ServiceReference.parse("1:0:19:8:1:1:C00000:0:0:0:")


class Broadcast:
    """A receiver whose every service sends its pieces, a few milliseconds apart, the last of them
    for ever if that is wanted."""

    def __init__(self, *pieces: bytes, for_ever: bool = True) -> None:
        self.pieces = pieces
        self.for_ever = for_ever
        self.others: dict[ServiceReference, tuple[bytes, ...]] = {}
        self.opened: list[ServiceReference] = []
        self.open_now = 0

    @asynccontextmanager
    async def open(self, service: ServiceReference) -> AsyncIterator[LiveSource]:
        self.opened.append(service)
        self.open_now += 1
        try:
            yield _Source(list(self.others.get(service, self.pieces)), self.for_ever)
        finally:
            self.open_now -= 1


class _Source:
    def __init__(self, pieces: list[bytes], for_ever: bool) -> None:
        self._pieces = pieces
        self._for_ever = for_ever

    async def read(self) -> bytes:
        await asyncio.sleep(0.005)
        if len(self._pieces) > 1 or not self._for_ever:
            return self._pieces.pop(0) if self._pieces else b""
        return self._pieces[0]


def streams(broadcast: Broadcast, *, first_output_s: float = 0.3) -> LiveStreams:
    return LiveStreams(
        receiver=broadcast,
        backend=FakeBackend(),
        options=RemuxOptions(),
        first_output_s=first_output_s,
        scrambled_after_s=1,
        metrics=Metrics(),
    )


async def failure(broadcast: Broadcast) -> ReceiverError:
    with pytest.raises(ReceiverError) as caught:
        async with streams(broadcast).open(SERVICE):
            pass
    assert not broadcast.open_now
    return caught.value


async def test_pictures_that_nothing_can_begin_with_are_not_taken_for_silence() -> None:
    pieces = (TELEVISION, *[picture()] * 20, KEY)
    async with streams(Broadcast(*pieces)).open(SERVICE) as stream:
        assert await stream.read() == TELEVISION + KEY


async def test_a_picture_to_begin_with_is_waited_for_though_there_was_noise_before() -> None:
    pieces = (TELEVISION, *[NOISE] * 4, *[picture()] * 20, KEY)
    async with streams(Broadcast(*pieces)).open(SERVICE) as stream:
        assert await stream.read() == TELEVISION + KEY


async def test_noise_whose_bits_say_clear_is_refused_as_scrambled() -> None:
    pieces = (TELEVISION, *[noise(VIDEO, n, starts=True) for n in range(20)])
    assert isinstance(await failure(Broadcast(*pieces)), ScrambledError)


async def test_a_clear_channel_whose_bits_say_scrambled_is_shown() -> None:
    broadcast = Broadcast(with_bits(TELEVISION), with_bits(picture()), with_bits(KEY))
    async with streams(broadcast).open(SERVICE) as stream:
        assert await stream.read() == with_bits(TELEVISION + KEY)


async def test_noise_that_comes_and_goes_is_noise_in_the_end() -> None:
    pieces = (TELEVISION, *[NOISE, picture()] * 20, NOISE)
    assert isinstance(await failure(Broadcast(*pieces)), ScrambledError)


async def test_tables_alone_are_silence() -> None:
    assert isinstance(await failure(Broadcast(TELEVISION)), TimeLimitError)


@pytest.mark.parametrize("last", [picture(), NOISE], ids=["picture", "noise"])
async def test_a_stream_that_ends_before_its_first_whole_picture_shows_nothing(
    last: bytes,
) -> None:
    broadcast = Broadcast(TELEVISION, last, for_ever=False)
    assert isinstance(await failure(broadcast), NoSignalError)


async def test_when_the_first_source_stays_scrambled_the_next_is_opened() -> None:
    broadcast = Broadcast(TELEVISION, NOISE)
    broadcast.others[OTHER] = (TELEVISION, KEY, sound())
    async with streams(broadcast).open_first([SERVICE, OTHER]) as stream:
        assert await stream.read() == TELEVISION + KEY
        assert broadcast.open_now == 1
    assert broadcast.opened == [SERVICE, OTHER]


async def test_a_stream_that_ended_waits_for_no_viewer_to_take_its_end() -> None:
    metrics, viewers = Metrics(), Viewers()
    broadcast = Broadcast(TELEVISION, KEY, for_ever=False)

    async def receive() -> Message:
        return await asyncio.Future()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body" and not message["more_body"]:
            await asyncio.Future()

    response = LiveResponse(
        "channel",
        lambda: streams(broadcast).open(SERVICE),
        stopping=asyncio.Event(),
        pause_limit_s=0.05,
        metrics=metrics,
        viewers=viewers,
    )
    with pytest.raises(TruncatedError):
        async with asyncio.timeout(2):
            await response({"type": "http"}, receive, send)
    assert metrics.outcomes.labels(Outcome.RECEIVER_ENDED)._value.get() == 1
    assert not len(viewers)
