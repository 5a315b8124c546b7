"""A player's connection: HTTP over a socket that can be treated badly."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import h11

from tests.load.load_test.network import HOUSE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from tests.load.load_test.network import Network

DAEMON_PORT = 8088
READ_BYTES = 64 * 1024
SMALL_BUFFER_BYTES = 16 * 1024
"""What a device with little memory lets the kernel take in advance."""


@dataclass
class Answer:
    """The head of a response."""

    status: int
    error: str
    """`X-HDHomeRun-Error`."""
    after_s: float


@dataclass
class Connection:
    """One request and its answer. An async context manager; leaving it closes, if nobody has."""

    network: Network
    device: str
    small: bool = False
    path: str = ""
    """What was asked for."""
    begun_s: float = field(default_factory=time.monotonic)

    async def __aenter__(self) -> Self:
        await self.network.wait_up()
        self._socket = self.network.socket(self.device)
        if self.small:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
        try:
            loop = asyncio.get_running_loop()
            await loop.sock_connect(self._socket, (HOUSE, DAEMON_PORT))
        except BaseException:
            self._socket.close()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._socket.close()

    async def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        version: str = "1.1",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send a request."""
        self.path = path
        fields = {"Host": f"{HOUSE}:{DAEMON_PORT}", "User-Agent": "load test"} | dict(headers or {})
        lines = [f"{method} {path} HTTP/{version}", *(f"{k}: {v}" for k, v in fields.items())]
        await self.send("\r\n".join([*lines, "", ""]).encode())
        self._http = h11.Connection(h11.CLIENT)
        # What was asked is said here once more, for what it means to the answer.
        self._http.send(h11.Request(method=method, target="/", headers=[("Host", "daemon")]))
        self._http.send(h11.EndOfMessage())

    async def send(self, data: bytes) -> None:
        """Send these bytes as they are."""
        self.begun_s = time.monotonic()
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def answer(self) -> Answer:
        """Wait for the head. Raises `ConnectionError` when none comes."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._receive())
        if not isinstance(event, h11.Response):
            raise ConnectionAbortedError("the connection was closed without an answer")
        error = dict(event.headers).get(b"x-hdhomerun-error", b"").decode()
        return Answer(event.status_code, error, time.monotonic() - self.begun_s)

    async def body(self) -> bytes:
        """The next bytes of the body; none at its end. Raises `ConnectionAbortedError` when the
        stream breaks off, of which a missing last chunk tells."""
        while True:
            try:
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    self._http.receive_data(await self._receive())
                    continue
            except h11.RemoteProtocolError as error:
                raise ConnectionAbortedError(str(error)) from error
            return bytes(event.data) if isinstance(event, h11.Data) else b""

    async def drain(self, seconds: float) -> None:
        """Read what comes and look at nothing of it, until the end or for this long."""
        # Not wait_for, which before Python 3.12 may swallow that the task is cancelled.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self._receive():
                    pass

    async def take(self) -> int:
        """Read and discard what has arrived; return its length, 0 at the end."""
        return len(await self._receive())

    async def goes_on(self, bytes_: int, seconds: float) -> bool:
        """Read a number of bytes, or for a time; return False when the stream ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while bytes_ > 0:
                    if not (taken := await self.take()):
                        return False
                    bytes_ -= taken
        return True

    async def sip(self, bytes_: int) -> bool:
        """Take so few bytes; False at the end."""
        return bool(await asyncio.get_running_loop().sock_recv(self._socket, bytes_))

    def half_close(self) -> None:
        """Say that nothing more will be said."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close with a TCP reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    async def vanish(self) -> None:
        """Leave without a word, device and all."""
        await self.network.vanish(self.device, self._socket)

    async def _receive(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self._socket, READ_BYTES)
