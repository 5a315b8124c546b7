"""A client on a raw socket: it sees what the simulator really sends, to the byte."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

HEADER = (
    b"HTTP/1.0 200 OK\r\nConnection: Close\r\nContent-Type: video/mpeg\r\n"
    b"Server: streamserver\r\n\r\n"
)


class Viewer:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def read(self, size: int) -> bytes:
        """Exactly `size` bytes; fails if the stream ends before."""
        return await self._reader.readexactly(size)

    async def rest(self) -> bytes:
        """Everything up to the end."""
        return await self._reader.read(-1)


@asynccontextmanager
async def connected(port: int, request: bytes, receive_buffer: int = 0) -> AsyncIterator[Viewer]:
    """Sends `request` as it stands; a small receive buffer makes a slow reader slow at once."""
    connection = socket.create_connection(("127.0.0.1", port))
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    reader, writer = await asyncio.open_connection(sock=connection)
    writer.write(request)
    try:
        yield Viewer(reader, writer)
    finally:
        writer.close()


def watching(
    port: int, target: object, headers: bytes = b""
) -> AbstractAsyncContextManager[Viewer]:
    """Asks for a stream as a player does."""
    request = f"GET /{target} HTTP/1.1\r\nHost: box:{port}\r\n".encode()
    return connected(port, request + headers + b"\r\n")


async def until(condition: Callable[[], bool]) -> None:
    """Lets the other tasks run until something holds; the test's timeout is the limit."""
    while not condition():  # noqa: ASYNC110 - what the receiver does has no event to wait for
        await asyncio.sleep(0)
