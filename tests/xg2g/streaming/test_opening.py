"""When a stream counts as begun, and when as scrambled: through the remuxer and the joiner."""

import asyncio

import pytest
from starlette.types import Message

from tests.harness.remuxer import backend
from tests.xg2g.streaming.broadcast import (
    KEY,
    OTHER,
    PACKET_BYTES,
    RADIO,
    SCRAMBLED,
    SERVICE,
    SOUND_PID,
    TELEVISION,
    VIDEO,
    Broadcast,
    picture,
    scrambled_payload,
    sound,
    with_bits,
)
from xg2g.metrics import Metrics, Outcome
from xg2g.network.http_bodies import TruncatedError
from xg2g.outputs.mpegts.response import LiveResponse
from xg2g.outputs.stop_event import StopEvent
from xg2g.outputs.viewers import Viewers
from xg2g.receiver.errors import NoSignalError, ReceiverError, ScrambledError, TimeLimitError
from xg2g.streaming.hub import Hub, UpstreamReader
from xg2g_backends.base import RemuxOptions
from xg2g_backends.joining import Joiner

pytestmark = pytest.mark.anyio

MORE = [picture(0.04 * n) for n in range(1, 20)]
"""Pictures that need others."""


def hub(broadcast: Broadcast, *, first_output_s: float = 30) -> Hub:
    return Hub(
        broadcast,
        backend(),
        RemuxOptions(),
        metrics=Metrics(),
        linger_s=0,
        first_output_s=first_output_s,
        scrambled_after_s=1,
        reconnect_s=0,
        make_joiner=Joiner,
    )


def pids(stream: bytes) -> list[int]:
    heads = (stream[at + 1 : at + 3] for at in range(0, len(stream), PACKET_BYTES))
    return [int.from_bytes(head, "big") & 0x1FFF for head in heads]


def payload(stream: bytes, pid: int) -> bytes:
    """What the packets of a PID carry, without their headers."""
    found = zip(range(0, len(stream), PACKET_BYTES), pids(stream), strict=True)
    return b"".join(stream[at + 4 : at + PACKET_BYTES] for at, each in found if each == pid)


async def begins_with_a_picture(reader: UpstreamReader) -> bool:
    """Whether it begins with tables, and pictures with one that decodes by itself."""
    stream = b""
    async with asyncio.timeout(5):
        while VIDEO not in pids(stream):
            stream += await reader.read()
    return pids(stream)[0] == 0 and payload(stream, VIDEO).startswith(KEY[4:])


async def failure(broadcast: Broadcast, **deadlines: float) -> ReceiverError:
    with pytest.raises(ReceiverError) as caught:
        async with hub(broadcast, **deadlines).open(SERVICE):
            pass
    assert not broadcast.open_now
    return caught.value


async def test_television_begins_with_its_tables_and_a_picture_that_decodes_by_itself() -> None:
    pieces = (TELEVISION + sound(), *MORE, KEY, *MORE)
    async with hub(Broadcast(*pieces)).open(SERVICE) as reader:
        assert await begins_with_a_picture(reader)


async def test_after_scrambled_payload_the_stream_still_waits_for_a_random_access_point() -> None:
    pieces = (TELEVISION, *[SCRAMBLED] * 4, *MORE, KEY, *MORE)
    async with hub(Broadcast(*pieces)).open(SERVICE) as reader:
        assert await begins_with_a_picture(reader)


async def test_scrambled_payload_whose_bits_say_clear_is_refused() -> None:
    pieces = (TELEVISION, *[scrambled_payload(VIDEO, n, starts=True) * 20 for n in range(20)])
    assert isinstance(await failure(Broadcast(*pieces)), ScrambledError)


async def test_radio_that_stays_scrambled_is_refused_as_scrambled() -> None:
    pieces = (RADIO, scrambled_payload(SOUND_PID, 1, starts=True, scrambled=True) * 20)
    assert isinstance(await failure(Broadcast(*pieces)), ScrambledError)


async def test_a_clear_channel_whose_bits_say_scrambled_is_shown() -> None:
    broadcast = Broadcast(with_bits(TELEVISION), with_bits(KEY), *map(with_bits, MORE))
    async with hub(broadcast).open(SERVICE) as reader:
        assert await begins_with_a_picture(reader)


async def test_a_stream_that_is_scrambled_again_and_again_is_refused() -> None:
    pieces = (TELEVISION, *[SCRAMBLED, picture()] * 20, SCRAMBLED)
    assert isinstance(await failure(Broadcast(*pieces)), ScrambledError)


async def test_a_new_viewer_of_a_channel_that_became_scrambled_is_refused() -> None:
    broadcast = Broadcast(TELEVISION, KEY, *MORE, SCRAMBLED)
    shared = hub(broadcast, first_output_s=5)
    async with shared.open(SERVICE) as reader:
        assert await begins_with_a_picture(reader)
        await asyncio.sleep(0.3)
        with pytest.raises(ScrambledError):
            async with asyncio.timeout(5), shared.open(SERVICE):
                pass
        assert await reader.read(), "who watches goes on"


async def test_a_stream_of_tables_alone_is_refused_as_silent() -> None:
    assert isinstance(await failure(Broadcast(TELEVISION), first_output_s=0.3), TimeLimitError)


@pytest.mark.parametrize("last", [picture(), SCRAMBLED], ids=["picture", "scrambled"])
async def test_a_stream_that_ends_before_its_first_whole_picture_shows_nothing(
    last: bytes,
) -> None:
    broadcast = Broadcast(TELEVISION, last, for_ever=False)
    assert isinstance(await failure(broadcast), NoSignalError)


async def test_when_the_first_source_stays_scrambled_the_next_is_opened() -> None:
    broadcast = Broadcast(TELEVISION, SCRAMBLED)
    broadcast.others[OTHER] = (TELEVISION, KEY, *MORE)
    async with hub(broadcast).open_first([SERVICE, OTHER]) as reader:
        assert await begins_with_a_picture(reader)
        assert broadcast.open_now == 1
    assert broadcast.opened == [SERVICE, OTHER]


async def test_a_stream_that_ended_waits_for_no_viewer_to_take_its_end() -> None:
    metrics, viewers = Metrics(), Viewers()
    broadcast = Broadcast(TELEVISION, KEY, *MORE, for_ever=False)

    async def receive() -> Message:
        return await asyncio.Future()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body" and not message["more_body"]:
            await asyncio.Future()

    response = LiveResponse(
        "channel",
        lambda: hub(broadcast).open(SERVICE),
        stopping=StopEvent(),
        pause_limit_s=0.05,
        metrics=metrics,
        viewers=viewers,
    )
    with pytest.raises(TruncatedError):
        async with asyncio.timeout(60):
            await response({"type": "http"}, receive, send)
    assert metrics.outcomes.labels(Outcome.RECEIVER_ENDED)._value.get() == 1
    assert not len(viewers)
