"""Leases of tuners, over a receiver that counts what it has tuned."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from xg2g.receiver.errors import NoTunerError, ScrambledError, UnreachableError
from xg2g.receiver.pace import CHUNK_BYTES
from xg2g.receiver.service_reference import ServiceReference
from xg2g.receiver.stream import LiveSource
from xg2g.streaming.ledger import RELEASE_S
from xg2g.streaming.recent import KEPT_BYTES, KEPT_S, YOUNG_S, RecentSource
from xg2g.streaming.tuners import STALE_S, Tuners

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
        self.flows = asyncio.Event()
        self.flows.set()

    async def read(self) -> bytes:
        await asyncio.sleep(0)
        await self.flows.wait()
        self.reads += 1
        if self.fails:
            raise UnreachableError("the connection broke")
        return b"" if self.ends else bytes((self.reads % 256,))


class Receiver:
    """Remembers what was opened and what is open, and refuses as often as it is told to."""

    def __init__(self) -> None:
        self.opened: list[ServiceReference] = []
        self.open_now: list[ServiceReference] = []
        self.refusals = 0
        self.sources: list[Source] = []

    @asynccontextmanager
    async def open(self, service: ServiceReference) -> AsyncIterator[LiveSource]:
        if self.refusals:
            self.refusals -= 1
            raise NoTunerError("no tuner")
        await asyncio.sleep(0)
        self.opened.append(service)
        self.open_now.append(service)
        self.sources.append(Source())
        try:
            yield self.sources[-1]
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
    source = tuners._lingering[0].source.source
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


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def read_some(source: LiveSource, count: int) -> bytes:
    return b"".join([await source.read() for _ in range(count)])


async def test_who_takes_a_stream_over_begins_with_what_came_last(receiver: Receiver) -> None:
    clock = Clock()
    tuners = Tuners(receiver, linger_s=60, now=clock)
    async with tuners.open(ONE) as source:
        before = await read_some(source, 5)
        receiver.sources[0].flows.clear()
    clock.now_s += KEPT_S / 2
    async with tuners.open(ONE) as source:
        assert await source.read() == before, "at once"
        receiver.sources[0].flows.set()
        assert await read_some(source, 3) == bytes((6, 7, 8))
    await tuners.aclose()


async def test_what_came_last_is_two_seconds_and_goes_on_without_a_gap(receiver: Receiver) -> None:
    clock = Clock()
    tuners = Tuners(receiver, linger_s=60, now=clock)
    async with tuners.open(ONE) as source:
        for _ in range(10):
            clock.now_s += 1
            await source.read()
        receiver.sources[0].flows.clear()
    async with tuners.open(ONE) as source:
        assert await source.read() == bytes((8, 9, 10))
    await tuners.aclose()


async def test_nothing_is_kept_of_a_stream_that_is_watched_for_long(receiver: Receiver) -> None:
    clock = Clock()
    tuners = Tuners(receiver, linger_s=60, now=clock)
    async with tuners.open(ONE) as source:
        await read_some(source, 5)
        clock.now_s = YOUNG_S + 1
        await read_some(source, 5)
        receiver.sources[0].flows.clear()
    async with tuners.open(ONE) as source:
        receiver.sources[0].flows.set()
        assert await source.read() == bytes((11,))
    await tuners.aclose()


async def test_what_is_kept_is_bounded() -> None:
    class Flood:
        async def read(self) -> bytes:
            return bytes(CHUNK_BYTES)

    source = RecentSource(Flood(), Clock())
    for _ in range(100):
        await source.read()
    source.rewind()
    kept = 0
    while len(chunk := await source.read()) == CHUNK_BYTES and kept <= KEPT_BYTES:
        kept += len(chunk)
    assert KEPT_BYTES - CHUNK_BYTES <= kept <= KEPT_BYTES + CHUNK_BYTES


async def test_a_stream_that_stands_still_is_opened_anew_instead_of_handed_over(
    receiver: Receiver,
) -> None:
    clock = Clock()
    tuners = Tuners(receiver, linger_s=60, now=clock)
    await watch_and_leave(tuners, ONE)
    receiver.sources[0].flows.clear()
    clock.now_s += STALE_S + 0.1
    async with tuners.open(ONE):
        assert receiver.opened == [ONE, ONE]
        assert receiver.open_now == [ONE]
    await tuners.aclose()


async def test_who_is_cancelled_while_taking_over_leaves_nothing_open(
    tuners: Tuners, receiver: Receiver
) -> None:
    for turns in range(5):
        await watch_and_leave(tuners, ONE)
        taking = asyncio.create_task(watch_and_leave(tuners, ONE))
        for _ in range(turns):
            await asyncio.sleep(0)
        taking.cancel()
        await asyncio.wait({taking})
        await tuners.aclose()
        assert not receiver.open_now, f"cancelled after {turns} turns"
        assert tuners.in_use == 0


async def test_who_is_cancelled_at_any_moment_leaves_nothing_open(receiver: Receiver) -> None:
    for turns in range(12):
        tuners = Tuners(receiver, linger_s=60, limit=1, sleep=no_sleep)
        await watch_and_leave(tuners, ONE)
        receiver.refusals = 2
        zapping = asyncio.create_task(watch_and_leave(tuners, OTHER))
        for _ in range(turns):
            await asyncio.sleep(0)
        zapping.cancel()
        await asyncio.wait({zapping})
        receiver.refusals = 0
        await tuners.aclose()
        assert not receiver.open_now, f"cancelled after {turns} turns"
        assert tuners.in_use == 0


async def test_of_one_service_one_stream_lingers(tuners: Tuners, receiver: Receiver) -> None:
    async with tuners.open(ONE), tuners.open(ONE), tuners.open(ONE):
        pass
    assert receiver.open_now == [ONE]
    assert tuners.lingering == 1


async def test_what_another_receiver_has_opened_does_not_linger(receiver: Receiver) -> None:
    tuners = Tuners(receiver, linger_s=60)
    other = Receiver()
    await watch_and_leave(tuners, OTHER)
    async with tuners.open(ONE):
        tuners.receiver = other
    assert receiver.open_now == [OTHER]
    await watch_and_leave(tuners, OTHER)
    assert not receiver.open_now
    assert other.open_now == [OTHER]
    await tuners.aclose()


async def test_a_receiver_that_has_not_freed_the_last_tuner_yet_is_asked_again(
    receiver: Receiver,
) -> None:
    clock = Clock()
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        clock.now_s += seconds

    tuners = Tuners(receiver, linger_s=0, limit=1, sleep=sleep, now=clock)
    await watch_and_leave(tuners, ONE)
    receiver.refusals = 2
    await watch_and_leave(tuners, OTHER)
    assert waited == list(RELEASE_S[:2])
    clock.now_s += sum(RELEASE_S) + 1
    receiver.refusals = 1
    with pytest.raises(NoTunerError):
        await watch_and_leave(tuners, OTHER)


async def test_of_twenty_viewers_for_the_last_tuner_one_gets_it(receiver: Receiver) -> None:
    tuners = Tuners(receiver, linger_s=0, limit=1)
    left = asyncio.Event()

    async def watch(one: ServiceReference) -> bool:
        try:
            async with tuners.open(one):
                await left.wait()
        except NoTunerError:
            return False
        return True

    watching = [asyncio.create_task(watch(service(n, n))) for n in range(1, 21)]
    await asyncio.sleep(0.01)
    assert tuners.in_use == len(receiver.open_now) == 1
    assert tuners.services == (service(1, 1),)
    left.set()
    assert sum(await asyncio.gather(*watching)) == 1
    assert not tuners.services


async def test_who_opens_again_before_their_leaving_is_noticed_gets_the_same_stream(
    tuners: Tuners, receiver: Receiver
) -> None:
    async with tuners.open(ONE):
        again = asyncio.create_task(watch_and_leave(tuners, ONE))
        await asyncio.sleep(0.01)
    await again
    assert receiver.opened == [ONE]


async def test_what_could_not_be_shown_does_not_linger(tuners: Tuners, receiver: Receiver) -> None:
    with pytest.raises(ScrambledError):
        async with tuners.open(ONE):
            raise ScrambledError("noise")
    assert not receiver.open_now


async def test_a_stream_of_which_its_viewer_is_tired_lingers(tuners: Tuners) -> None:
    with pytest.raises(ZeroDivisionError):
        async with tuners.open(ONE):
            raise ZeroDivisionError
    assert tuners.lingering == 1
