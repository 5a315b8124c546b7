"""The real transcoder service as a process, and a way between it and its clients that can fail."""

import asyncio
import re
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import httpx

from tests.harness.ports import free_address
from tests.harness.process import BIN, POLL_S, READY_S, Process, environment
from xg2g_backends.external.address import ServiceAddress

PROCESS = re.compile(rb"POST (/v1/remuxers/[^/]+)/process\?")


class Transcoder(Process):
    """A transcoder service that can be killed and started again at the same address."""

    def __init__(
        self,
        url: str,
        *flags: str | Path,
        token: str | None = None,
        name: str = "transcoder",
        folder: Path | None = None,
    ) -> None:
        self.address = ServiceAddress.parse(url)
        listen = url.replace("unix://", "unix:").replace("http://", "")
        command = (BIN / "xg2g-transcoder", "--listen", listen, "--log-format", "json", *flags)
        variables = environment(**({"XG2G_TRANSCODER_TOKEN": token} if token is not None else {}))
        super().__init__(*command, name=name, folder=folder, variables=variables)

    def start(self) -> None:
        """Start it, and return when it listens."""
        super().start()
        deadline_s = time.monotonic() + READY_S
        while not self._listens():
            assert self.exit_code is None, f"the service ended at its start:\n{self.written()}"
            assert time.monotonic() < deadline_s, f"the service is slow:\n{self.written()}"
            time.sleep(POLL_S)

    def restart(self) -> None:
        """Die as in a crash, and come back."""
        self.stop(signal.SIGKILL)
        self.start()

    async def open_remuxers(self) -> int | None:
        """Return how many remuxers it holds; None when it does not answer."""
        transport = httpx.AsyncHTTPTransport(uds=self.address.socket)
        async with httpx.AsyncClient(transport=transport, base_url=self.address.url) as client:
            try:
                return int((await client.get("/v1")).json()["open_remuxers"])
            except httpx.HTTPError:
                return None

    def _listens(self) -> bool:
        with suppress(OSError):
            if self.address.socket is not None:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(self.address.socket)
            else:
                host, _, port = self.address.url.removeprefix("http://").rpartition(":")
                socket.create_connection((host, int(port)), 1).close()
            return True
        return False


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for a Unix socket's name, which has 108 bytes at most."""
    folder = Path(tempfile.mkdtemp(prefix="xg2g-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def transcoder(
    url: str | None = None, *flags: str, token: str | None = None
) -> Iterator[Transcoder]:
    """Run the real service, by default on TCP."""
    service = Transcoder(url or free_address(), *flags, token=token)
    try:
        service.start()
        yield service
    finally:
        service.stop(signal.SIGKILL)


class Way:
    """Passes bytes between clients and a service, and holds requests or cuts answers."""

    def __init__(self, service: ServiceAddress, address: ServiceAddress) -> None:
        self.address = address
        self.held_remuxers: set[str] = set()
        """Paths of remuxers whose `process` requests wait here until `release`."""
        self.held = 0
        self.answers_to_cut = 0
        """Number of responses to `process` to drop after the service sent them."""
        self._service = service
        self._released = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def release(self) -> None:
        """Let held requests go on, and hold no more."""
        self.held_remuxers.clear()
        self._released.set()

    def accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        self.release()
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        processing = asyncio.Event()
        ways = {
            asyncio.create_task(self._forth(reader, there[1], processing)),
            asyncio.create_task(self._back(there[0], writer, processing)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            for end in (writer, there[1]):
                end.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._service.socket is not None:
            return await asyncio.open_unix_connection(self._service.socket)
        host, _, port = self._service.url.removeprefix("http://").rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def _forth(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, processing: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if request := PROCESS.match(data):
                    processing.set()
                    await self._hold(request[1].decode())
                writer.write(data)
                await writer.drain()

    async def _hold(self, remuxer: str) -> None:
        if remuxer in self.held_remuxers:
            self.held += 1
            self._released.clear()
            try:
                await self._released.wait()
            finally:
                self.held -= 1

    async def _back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, processing: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if processing.is_set() and self.answers_to_cut:
                    self.answers_to_cut -= 1
                    return
                processing.clear()
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def way_to(service: ServiceAddress, folder: Path) -> AsyncIterator[Way]:
    """Open a way to a service, over the same kind of socket."""
    if service.socket is not None:
        way = Way(service, ServiceAddress.parse(f"unix://{folder}/way.sock"))
        server = await asyncio.start_unix_server(way.accepted, f"{folder}/way.sock")
    else:
        way = Way(service, ServiceAddress.parse(free_address()))
        port = int(way.address.url.rpartition(":")[2])
        server = await asyncio.start_server(way.accepted, "127.0.0.1", port)
    try:
        yield way
    finally:
        server.close()
        await way.aclose()
