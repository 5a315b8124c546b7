"""One address for several transcoders, as a Service of Kubernetes is."""

import asyncio
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


class Balancer:
    """An address whose connections go to any pod that was ready when it was asked last.

    This is what kube-proxy does for a Service. A pod that ends stays in it until the next probe, as
    long as it takes in the worst case until every node knows.
    """

    def __init__(self, address: ServiceAddress, pods: Sequence[Transcoder]) -> None:
        self._port = int(address.url.rpartition(":")[2])
        self._pods = pods
        self._ready: list[Transcoder] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._random = random.Random(1)

    async def __aenter__(self) -> Self:
        await self._ask()
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self._port)
        self._keep(asyncio.create_task(self._probe()))
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

    async def _probe(self) -> None:
        while True:
            await asyncio.sleep(PROBE_S if self._ready else 0.1)
            await self._ask()

    async def _ask(self) -> None:
        self._ready = [pod for pod in self._pods if pod.alive and await ready(pod)]

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._keep(asyncio.create_task(self._pass(reader, writer)))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: asyncio.StreamWriter | None = None
        try:
            if not self._ready:
                return
            pod = self._random.choice(self._ready)
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
