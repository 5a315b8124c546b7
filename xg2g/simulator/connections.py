"""A listening socket that closes its connections, and ends their work when the peer leaves."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listener:
    """A server that passes each connection to `handler` and closes it afterwards.

    An async context manager, which can be entered again; `port` is the bound port, also for port 0.
    """

    def __init__(self, handler: Handler, host: str, port: int) -> None:
        self._handler = handler
        self._host = host
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, self._host, self._port)
        # Entered again, it uses the same port.
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Return the bound port; 0 before the first start if 0 was requested."""
        return self._port

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._server.is_serving():
            # It was accepted while the server closed.
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task that is cancelled before its first step does not close it.
        task.add_done_callback(lambda _: writer.close())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._handler(reader, writer)
        except asyncio.CancelledError:
            # A viewer that does not read would keep the connection open.
            writer.transport.abort()
            raise
        except ConnectionError:
            pass


async def while_connected(reader: asyncio.StreamReader, sending: Awaitable[None]) -> None:
    """Await `sending`; cancel it when the peer closes its side."""
    send = asyncio.ensure_future(sending)
    gone = asyncio.create_task(_until_end(reader))
    try:
        await asyncio.wait({send, gone}, return_when=asyncio.FIRST_COMPLETED)
        if send.done():
            await send
    finally:
        for task in (send, gone):
            task.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await task


async def _until_end(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        while await reader.read(512):
            pass
