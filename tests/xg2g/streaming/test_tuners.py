"""Leases of tuners, over a receiver that counts what it has tuned."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from xg2g.receiver.errors import NoTunerError, UnreachableError
from xg2g.receiver.service_reference import ServiceReference
from xg2g.receiver.stream import LiveSource
from xg2g.streaming.tuners import RELEASE_S, Tuners

pytestmark = pytest.mark.anyio


def service(sid: int, tsid: int) -> ServiceReference:
    return ServiceReference.parse(f"1:0:19:{sid:X}:{tsid:X}:1:C00000:0:0:0:")


ONE, ONE_TOO, OTHER, THIRD = service(1, 1), service(2, 1), service(3, 2), service(4, 3)
IPTV = ServiceReference.parse("4097:0:1:0:0:0:0:0:0:0:http%3a//example.org/live.ts")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Source:
    """Gives a byte at each turn of the loop, until it is told to end or fail."""

    def __init__(self) -> None:
        self.ends = False
        self.fails = False
        self.reads = 0

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        self.reads += 1
        if self.fails:
            raise UnreachableError("the connection broke")
        return b"" if self.ends else b"G"


class Receiver:
    """Remembers what was opened and what is open, and refuses as often as it is told to."""

    def __init__(self) -> None:
        self.opened: list[ServiceReference] = []
        self.open_now: list[ServiceReference] = []
        self.refusals = 0

    @asynccontextmanager
    async def open(self, service: ServiceReference) -> AsyncIterator[LiveSource]:
        if self.refusals:
            self.refusals -= 1
            raise NoTunerError("no tuner")
        self.opened.append(service)
        self.open_now.append(service)
        try:
            yield Source()
        finally:
            self.open_now.remove(service)


async def watch_and_leave(tuners: Tuners, *services: ServiceReference) -> None:
    for each in services:
        async with tuners.open(each) as source:
            await source.read()


async def no_sleep(_: float) -> None:
    return


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def tuners(receiver: Receiver) -> AsyncIterator[Tuners]:
    tuners = Tuners(receiver, linger_s=60, limit=2, sleep=no_sleep)
    yield tuners
    await tuners.aclose()
    assert not receiver.open_now
    assert tuners.in_use == tuners.lingering == 0


async def test_channels_of_one_transponder_share_a_tuner(
    tuners: Tuners, receiver: Receiver
) -> None:
    async with tuners.open(ONE), tuners.open(ONE_TOO), tuners.open(OTHER):
        assert tuners.in_use == 2
        with pytest.raises(NoTunerError, match="all 2 tuners"):
            async with tuners.open(THIRD):
                pass
    assert THIRD not in receiver.opened


async def test_what_needs_no_tuner_is_not_counted(tuners: Tuners) -> None:
    async with tuners.open(ONE), tuners.open(OTHER), tuners.open(IPTV):
        assert tuners.in_use == 2


async def test_without_a_known_limit_the_receiver_alone_refuses(receiver: Receiver) -> None:
    tuners = Tuners(receiver, linger_s=0)
    async with tuners.open(ONE), tuners.open(OTHER), tuners.open(THIRD):
        assert tuners.in_use == 3
    assert not receiver.open_now


async def test_who_opens_again_within_the_moment_gets_the_same_stream(
    tuners: Tuners, receiver: Receiver
) -> None:
    await watch_and_leave(tuners, ONE, ONE, ONE)
    assert receiver.opened == [ONE]


async def test_two_viewers_at_once_have_a_stream_each(tuners: Tuners, receiver: Receiver) -> None:
    await watch_and_leave(tuners, ONE)
    async with tuners.open(ONE), tuners.open(ONE):
        assert receiver.opened == [ONE, ONE]
        assert tuners.in_use == 1


async def test_a_stream_is_read_on_while_it_lingers(tuners: Tuners) -> None:
    async with tuners.open(ONE) as watched:
        await watched.read()
    source = tuners._lingering[0].source
    assert isinstance(source, Source)
    reads = source.reads
    for _ in range(20):
        await asyncio.sleep(0)
    assert source.reads > reads


async def test_after_the_moment_the_tuner_is_free(receiver: Receiver) -> None:
    tuners = Tuners(receiver, linger_s=0.01, limit=1)
    await watch_and_leave(tuners, ONE)
    async with asyncio.timeout(5):
        while receiver.open_now:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert tuners.in_use == 0


async def test_a_stream_that_lingers_makes_way_for_a_viewer(
    tuners: Tuners, receiver: Receiver
) -> None:
    await watch_and_leave(tuners, ONE, OTHER)
    assert tuners.lingering == 2
    async with tuners.open(THIRD):
        assert receiver.open_now == [OTHER, THIRD], "the one left first goes first"


async def test_making_way_is_asked_only_of_what_frees_a_tuner(
    tuners: Tuners, receiver: Receiver
) -> None:
    async with tuners.open(ONE):
        await watch_and_leave(tuners, ONE_TOO, OTHER)
        async with tuners.open(THIRD):
            assert ONE in receiver.open_now
            assert OTHER not in receiver.open_now


async def test_when_the_receiver_refuses_what_lingers_is_given_up_and_it_is_asked_again(
    tuners: Tuners, receiver: Receiver
) -> None:
    await watch_and_leave(tuners, ONE)
    receiver.refusals = len(RELEASE_S)
    async with tuners.open(OTHER):
        assert receiver.open_now == [OTHER]


async def test_when_nothing_lingers_a_refusal_is_one_at_once(
    tuners: Tuners, receiver: Receiver
) -> None:
    receiver.refusals = 1
    with pytest.raises(NoTunerError):
        async with tuners.open(ONE):
            pass
    assert tuners.in_use == 0


@pytest.mark.parametrize("how", ["ends", "fails"])
async def test_a_stream_that_is_over_does_not_linger(
    tuners: Tuners, receiver: Receiver, how: str
) -> None:
    async with tuners.open(ONE) as watched:
        source = watched.source  # type: ignore[attr-defined]
        setattr(source, how, True)
        if how == "ends":
            assert await watched.read() == b""
        else:
            with pytest.raises(UnreachableError):
                await watched.read()
    assert not receiver.open_now


async def test_a_lingering_stream_that_ends_is_closed_at_once(
    tuners: Tuners, receiver: Receiver
) -> None:
    async with tuners.open(ONE) as watched:
        source = watched.source  # type: ignore[attr-defined]
        await watched.read()
    source.ends = True
    for _ in range(10):
        await asyncio.sleep(0)
    assert not receiver.open_now
    async with tuners.open(ONE):
        assert receiver.opened == [ONE, ONE]


async def test_a_viewer_who_is_cancelled_leaves_a_stream_that_lingers(
    tuners: Tuners, receiver: Receiver
) -> None:
    async def watch() -> None:
        async with tuners.open(ONE) as source:
            while True:
                await source.read()

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.wait({watching})
    assert tuners.lingering == 1
    await watch_and_leave(tuners, ONE)
    assert receiver.opened == [ONE]
