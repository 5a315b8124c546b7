"""One address for several transcoders, as a Service of Kubernetes is."""

import asyncio
import itertools
import random
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import httpx

from tests.harness.transcoder import Transcoder
from xg2g_backends.external.address import ServiceAddress

PROBE_S: Final = 2.0
"""`periodSeconds` of the readiness probe in deploy/kubernetes."""
READ_BYTES: Final = 64 * 1024


async def ready(transcoder: Transcoder) -> bool:
    """Return what a readiness probe finds."""
    async with httpx.AsyncClient(trust_env=False, timeout=1) as client:
        with suppress(httpx.HTTPError):
            return (await client.get(f"{transcoder.address.url}/readyz")).status_code == 200
    return False


class InTurn:
    """Chooses each pod as often as the others, as IPVS does: no chance decides a test."""

    def __init__(self) -> None:
        self._turn = itertools.count()

    def choice(self, pods: Sequence[Transcoder]) -> Transcoder:
        return pods[next(self._turn) % len(pods)]


class Balancer:
    """An address whose connections go to any pod that was ready when it was asked last.

    This is what kube-proxy does for a Service. A pod that ends stays in it until the next probe, as
    long as it takes in the worst case until every node knows.
    """

    def __init__(
        self,
        address: ServiceAddress,
        pods: Sequence[Transcoder],
        turns: InTurn | None = None,
    ) -> None:
        """`turns`: without it, pods are chosen by chance, as kube-proxy does by default."""
        self._port = int(address.url.rpartition(":")[2])
        self._pods = pods
        self._ready: list[Transcoder] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = turns or random.Random(1)

    async def __aenter__(self) -> Self:
        await self.probe()
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self._port)
        self._keep(asyncio.create_task(self._probe_for_ever()))
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _probe_for_ever(self) -> None:
        while True:
            await asyncio.sleep(PROBE_S if self._ready else 0.1)
            await self.probe()

    async def probe(self) -> None:
        """Ask all pods now whether they are ready."""
        self._ready = [pod for pod in self._pods if pod.alive and await ready(pod)]

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._keep(asyncio.create_task(self._pass(reader, writer)))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: asyncio.StreamWriter | None = None
        try:
            if not self._ready:
                return
            pod = self._turns.choice(self._ready)
            host, _, port = pod.address.url.removeprefix("http://").rpartition(":")
            back, there = await asyncio.open_connection(host, int(port))
            ways = [
                asyncio.create_task(_copy(reader, there)),
                asyncio.create_task(_copy(back, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            return
        finally:
            writer.close()
            if there is not None:
                there.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(READ_BYTES):
        writer.write(data)
        await writer.drain()
