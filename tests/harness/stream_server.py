"""A stream server that follows a script to the byte, misbehaviour included."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Script = Callable[["Connection"], Awaitable[None]]

CRLF_ANSWER = (
    b"HTTP/1.0 200 OK\r\nConnection: Close\r\nContent-Type: video/mpeg\r\n"
    b"Server: streamserver\r\n\r\n"
)
PACKET = b"\x47\x01\x00\x10" + bytes(184)


class Connection:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = b""
        self.closed_by_client = asyncio.Event()
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Send, and let it leave before anything else is sent."""
        self._writer.write(data)
        await self._writer.drain()
        await asyncio.sleep(0)

    async def stay_silent(self) -> None:
        await self.closed_by_client.wait()

    def reset(self) -> None:
        """End as a crash does, with RST."""
        with_rst = struct.pack("ii", 1, 0)
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, with_rst)
        self._writer.transport.abort()

    async def run(self, script: Script) -> None:
        try:
            self.request = await self._reader.read(4096)
            watching = asyncio.create_task(self._watch())
            scripted = asyncio.ensure_future(script(self))
            await asyncio.wait({watching, scripted}, return_when=asyncio.FIRST_COMPLETED)
            scripted.cancel()
            await asyncio.wait({scripted})
            # The end of the body. What the client does afterwards still counts.
            if not self._writer.is_closing():
                self._writer.write_eof()
            await watching
        finally:
            self._writer.transport.abort()

    async def _watch(self) -> None:
        try:
            await self._reader.read()
        except ConnectionError:
            pass
        finally:
            self.closed_by_client.set()


class Upstream:
    """The listening server. `connections` has every connection in order of its making."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.connections: list[Connection] = []
        self.port = 0
        self.listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        self.connections.append(connection)
        task = asyncio.create_task(connection.run(self.script))
        self._tasks.add(task)

    async def stop_listening(self) -> None:
        """Refuse further connections."""
        if self.listener is not None:
            self.listener.close()
            await asyncio.sleep(0)

    async def aclose(self) -> None:
        await self.stop_listening()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        # Transports close in the loop's next turn.
        await asyncio.sleep(0)


@asynccontextmanager
async def upstream(script: Script) -> AsyncIterator[Upstream]:
    """Run a server that plays `script` on each connection, then ends the body."""
    server = Upstream(script)
    server.listener = await asyncio.start_server(server.accepted, "127.0.0.1", 0)
    server.port = server.listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        await server.aclose()


def says(*pieces: bytes) -> Script:
    """Send these pieces and end."""

    async def script(connection: Connection) -> None:
        for piece in pieces:
            await connection.send(piece)

    return script


def says_then_stays_silent(*pieces: bytes) -> Script:
    """Send these pieces and leave the connection open."""

    async def script(connection: Connection) -> None:
        await says(*pieces)(connection)
        await connection.stay_silent()

    return script


async def plays_endlessly(connection: Connection) -> None:
    """Send packets, ten times as fast as television does."""
    await connection.send(CRLF_ANSWER)
    while True:
        await connection.send(PACKET * 100)
        await asyncio.sleep(0.001)


async def plays_at_leisure(connection: Connection) -> None:
    """Send a packet every few milliseconds."""
    await connection.send(CRLF_ANSWER)
    while True:
        await connection.send(PACKET)
        await asyncio.sleep(0.005)
