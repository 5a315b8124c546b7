"""An external backend over stand-ins of the service, with a clock of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.backends.external.stand_in import StandIn, stand_in
from tests.harness.fake_backend import FakeBackend
from xg2g_backends.base import RemuxOptions
from xg2g_backends.external.backend import ExternalBackend
from xg2g_backends.external.deadlines import Deadlines
from xg2g_backends.external.remuxer import ExternalRemuxer

CLIP = Path(__file__).parents[3] / "xg2g" / "simulator" / "clips" / "one-hd.ts"
STREAM = CLIP.read_bytes()[: 3000 * 188]
PIECES = [STREAM[at : at + 30_000] for at in range(0, len(STREAM), 30_000)]
QUICK = Deadlines(connect_s=5, answer_s=1)


class Counts:
    """An observer that counts."""

    def __init__(self) -> None:
        self.retries = self.splices = self.fallbacks = self.dropped_bytes = 0

    def retried(self) -> None:
        self.retries += 1

    def spliced(self) -> None:
        self.splices += 1

    def fallen_back(self) -> None:
        self.fallbacks += 1

    def dropped(self, count: int) -> None:
        self.dropped_bytes += count


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class World:
    """A backend over stand-ins, with a clock of its own."""

    def __init__(
        self,
        stand_ins: Sequence[StandIn],
        live: bool,
        fallback: FakeBackend | None,
        deadlines: Deadlines = QUICK,
    ) -> None:
        self.clock = Clock()
        self.counts = Counts()
        self.fallback = fallback
        self.backend = ExternalBackend(
            [service.address for service in stand_ins],
            token="secret",
            live=live,
            fallback=fallback,
            observer=self.counts,
            deadlines=deadlines,
            clock_s=self.clock,
        )

    async def open(self, options: RemuxOptions | None = None) -> ExternalRemuxer:
        return await self.backend.open(options or RemuxOptions())


@asynccontextmanager
async def world(
    *stand_ins: StandIn,
    live: bool = True,
    fallback: FakeBackend | None = None,
    deadlines: Deadlines = QUICK,
) -> AsyncIterator[World]:
    made = World(stand_ins, live, fallback, deadlines)
    try:
        yield made
    finally:
        await made.backend.aclose()


@asynccontextmanager
async def one_service(fallback: FakeBackend | None = None) -> AsyncIterator[tuple[World, StandIn]]:
    async with stand_in() as service, world(service, fallback=fallback) as made:
        yield made, service


def real_part(body: bytes, chunk: bytes) -> bytes:
    """What the first body after a splice has before the chunk."""
    assert body.endswith(chunk)
    return body[: len(body) - len(chunk)]
