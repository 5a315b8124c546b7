"""The HTTP/1.1 client of the external backend: h11 on asyncio streams.

A request costs a fraction of the CPU time that it costs with httpx, and the backend needs few of a
client's features (docs/design/external-backend.md).
"""

import asyncio
import errno
import json
import os
import select
import socket
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

import h11

from .address import ServiceAddress
from .deadlines import Deadlines, ResponseTimeout

MAX_RESPONSE_BYTES: Final = 16 * 1024 * 1024
"""Longest response body that is read. It is several times the output of the longest input."""

READ_BYTES: Final = 256 * 1024

KEEP_ALIVE_S: Final = 5.0
"""How long an idle connection is kept. A stream uses its connection 50 times a second."""


class NotConnectedError(Exception):
    """No connection was made: the service has not received the request."""


class ResponseLostError(Exception):
    """The request was sent and its response is missing: the service may have processed it."""

    def __init__(self, text: str, *, silent_s: float = 0.0) -> None:
        super().__init__(text)
        self.silent_s = silent_s
        """How long the service was silent; 0 when it answered others, or the connection broke."""


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response of any status."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """Return the body's JSON object; empty when the body is not a JSON object."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class HttpClient:
    """A client of one service and, behind a load balancer, of its instances.

    Connections are kept open and used again.
    """

    def __init__(self, address: ServiceAddress, token: str | None, deadlines: Deadlines) -> None:
        self.address = address
        self.has_token = token is not None
        self._headers = [("authorization", f"Bearer {token}")] if token is not None else []
        self.deadlines = deadlines
        self._idle: dict[str, list[_Connection]] = {}
        """Authority -> idle connections, the most recently used last."""
        self._responses: Counter[str] = Counter()
        """Authority -> number of its responses."""
        self._tls = ssl.create_default_context() if address.url.startswith("https:") else None
        self._closed = False

    async def request(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        media_type: str | None = None,
        within_s: float | None = None,
        reuse: bool = True,
        on_silence: Callable[[], bool] | None = None,
        silence_limit_s: float | None = None,
    ) -> Response:
        """Send a request and return its response.

        `reuse`: False sends the request on a connection of its own.
        `on_silence`: called repeatedly while the service answers no request at all. True gives up.
        `silence_limit_s` bounds that time. Without `on_silence` only the deadline for responses
        counts.

        Raises `NotConnectedError` and `ResponseLostError`. Their texts are reasons for a user.
        """
        scheme, _, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        headers = [("host", authority), *self._headers, ("content-length", str(len(body)))]
        if media_type:
            headers.append(("content-type", media_type))
        if not reuse:
            headers.append(("connection", "close"))
        request = h11.Request(method=method, target=slash + path, headers=headers)
        connection = (self._take_idle(authority) if reuse else None) or await self._connect(
            authority, scheme
        )
        deadlines = replace(
            self.deadlines,
            answer_s=within_s or self.deadlines.answer_s,
            outage_s=silence_limit_s or self.deadlines.outage_s,
        )
        timeout = ResponseTimeout(deadlines, lambda: self._responses[authority], on_silence)
        response: Response | None = None
        try:
            async with timeout:
                response = await connection.exchange(request, body)
            self._responses[authority] += 1
        except TimeoutError as error:
            limit_s = timeout.gave_up_after_s or deadlines.answer_s
            text = f"no response within {round(limit_s, 1):g} s"
            raise ResponseLostError(text, silent_s=timeout.gave_up_after_s) from error
        except OSError as error:
            raise ResponseLostError(_reason(error)) from error
        except h11.RemoteProtocolError as error:
            raise ResponseLostError(f"invalid HTTP response: {error}") from error
        finally:
            if response is not None and not self._closed and connection.prepare_next():
                self._idle.setdefault(authority, []).append(connection)
            else:
                connection.close()
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        self._closed = True
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
        # Transports close in the event loop's next iteration.
        await asyncio.sleep(0)

    def _take_idle(self, authority: str) -> "_Connection | None":
        connections = self._idle.get(authority, [])
        oldest_s = time.monotonic() - KEEP_ALIVE_S
        while connections and connections[0].used_s < oldest_s:
            connections.pop(0).close()
        while connections:
            connection = connections.pop()
            if connection.is_open():
                return connection
            connection.close()
        self._idle.pop(authority, None)
        return None

    async def _connect(self, authority: str, scheme: str) -> "_Connection":
        connect_s = self.deadlines.connect_s
        try:
            async with asyncio.timeout(connect_s):
                if self.address.socket is not None:
                    return _Connection(*await _open_unix(self.address.socket))
                parts = urlsplit(f"//{authority}")
                port = parts.port or (443 if scheme == "https" else 80)
                return _Connection(
                    *await asyncio.open_connection(parts.hostname, port, ssl=self._tls)
                )
        except TimeoutError as error:
            raise NotConnectedError(f"no connection within {connect_s:g} s") from error
        except OSError as error:
            raise NotConnectedError(_reason(error)) from error


class _Connection:
    """One connection. It serves one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)
        self.used_s = time.monotonic()

    async def exchange(self, request: h11.Request, body: bytes) -> Response:
        """Send a request and read its response. Raises `OSError` and `RemoteProtocolError`."""
        pieces = [self._http.send(request)]
        if body:
            pieces.append(self._http.send(h11.Data(data=body)))
        pieces.append(self._http.send(h11.EndOfMessage()))
        self._writer.writelines(piece for piece in pieces if piece)
        await self._writer.drain()
        return await self._read_response()

    def prepare_next(self) -> bool:
        """Prepare for another request. Return False if the connection cannot serve one."""
        self.used_s = time.monotonic()
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return self.is_open()

    def is_open(self) -> bool:
        """Return False if the peer closed the connection or sent unrequested data.

        The event loop may not have noticed that yet, so the socket itself is polled.
        """
        if self._reader.at_eof() or self._writer.is_closing():
            return False
        return not _readable(self._writer.get_extra_info("socket").fileno())

    def close(self) -> None:
        self._writer.transport.abort()

    async def _read_response(self) -> Response:
        response: h11.Response | None = None
        pieces: list[bytes] = []
        length = 0
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                data = await self._reader.read(READ_BYTES)
                if not data and not length and response is None:
                    raise ConnectionResetError("the connection was closed")
                self._http.receive_data(data)
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                length += len(event.data)
                if length > MAX_RESPONSE_BYTES:
                    raise OSError(f"the response is longer than {MAX_RESPONSE_BYTES} bytes")
                pieces.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and response is not None:
                headers = {k.decode("ascii"): v.decode("latin-1") for k, v in response.headers}
                return Response(response.status_code, headers, b"".join(pieces))
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("the connection was closed")


async def _open_unix(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if sys.platform == "win32":
        # `ServiceAddress` refuses their paths.
        raise OSError(errno.EAFNOSUPPORT, "this system has no Unix sockets")
    else:
        return await asyncio.open_unix_connection(path)


def _readable(descriptor: int) -> bool:
    if sys.platform == "win32" or not hasattr(select, "poll"):
        return bool(select.select([descriptor], [], [], 0)[0])
    else:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))


def _reason(error: OSError) -> str:
    """Return the operating system's text; asyncio's own text repeats the address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError | socket.gaierror) or not error.errno:
        return (error.strerror or str(error) or type(error).__name__).lower()
    if getattr(error, "winerror", None):
        # Windows' own numbers: `os.strerror` knows no text for them.
        return (error.strerror or str(error)).rstrip(".").lower()
    return os.strerror(error.errno).lower()
