"""Requests to one service, and the one place that knows how HTTP reaches it.

h11 over asyncio's streams rather than httpx: a request costs a fraction of the CPU, and little is
needed of a client (docs/design/external-backend.md).
"""

import asyncio
import json
import os
import select
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

import h11

from .address import ServiceAddress
from .deadlines import Deadlines, Wait

ANSWER_BYTES: Final = 16 * 1024 * 1024
"""Longest answer that is read: several times what the longest body can become."""

READ_BYTES: Final = 256 * 1024

KEEP_ALIVE_S: Final = 5.0
"""For which an idle connection is kept; streams use theirs 50 times a second."""


class NotReachedError(Exception):
    """No connection was made, so the service has not seen the request."""


class AnswerLostError(Exception):
    """The request was sent, and no whole answer came: it may have been served."""

    def __init__(self, text: str, *, silent_s: float = 0.0) -> None:
        super().__init__(text)
        self.silent_s = silent_s
        """For how long the service answered nobody; 0 when it did, or the connection broke."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of whatever status."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """The body's JSON object; empty when the body is no such thing."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


class Line:
    """Connections to one service and, behind a load balancer, to its instances; kept and reused."""

    def __init__(self, address: ServiceAddress, token: str | None, deadlines: Deadlines) -> None:
        self.address = address
        self.has_token = token is not None
        self._headers = [("authorization", f"Bearer {token}")] if token is not None else []
        self.deadlines = deadlines
        self._idle: dict[str, list[_Connection]] = {}
        """By authority, the one used last at the end."""
        self._answers: Counter[str] = Counter()
        """How many came from each authority."""
        self._tls = ssl.create_default_context() if address.url.startswith("https:") else None
        self._closed = False

    async def request(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        media_type: str | None = None,
        within_s: float | None = None,
        kept: bool = True,
        on_silence: Callable[[], bool] | None = None,
        silence_limit_s: float | None = None,
    ) -> Answer:
        """Send a request and return its answer; on a connection of its own, if not `kept`.

        While the service answers nobody, `on_silence` is asked again and again whether to give up,
        until `silence_limit_s`; without it the deadline for answers holds. Raises
        `NotReachedError` and `AnswerLostError`, whose texts are reasons for a user.
        """
        scheme, _, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        headers = [("host", authority), *self._headers, ("content-length", str(len(body)))]
        if media_type:
            headers.append(("content-type", media_type))
        if not kept:
            headers.append(("connection", "close"))
        request = h11.Request(method=method, target=slash + path, headers=headers)
        connection = (self._take_idle(authority) if kept else None) or await self._connected(
            authority, scheme
        )
        deadlines = replace(
            self.deadlines,
            answer_s=within_s or self.deadlines.answer_s,
            outage_s=silence_limit_s or self.deadlines.outage_s,
        )
        wait = Wait(deadlines, lambda: self._answers[authority], on_silence)
        answered = False
        try:
            async with wait:
                answer = await connection.exchange(request, body)
            answered = True
            self._answers[authority] += 1
        except TimeoutError as error:
            text = f"no answer within {round(wait.waited_s, 1):g} s"
            raise AnswerLostError(text, silent_s=wait.gave_up_after_s) from error
        except OSError as error:
            raise AnswerLostError(_reason(error)) from error
        except h11.RemoteProtocolError as error:
            raise AnswerLostError(f"the answer is not that of a service: {error}") from error
        finally:
            if answered and not self._closed and connection.begin_again():
                self._idle.setdefault(authority, []).append(connection)
            else:
                connection.close()
        return answer

    async def aclose(self) -> None:
        """Close the connections."""
        self._closed = True
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
        # Transports close in the loop's next turn.
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

    async def _connected(self, authority: str, scheme: str) -> "_Connection":
        connect_s = self.deadlines.connect_s
        try:
            async with asyncio.timeout(connect_s):
                if self.address.socket is not None:
                    return _Connection(*await asyncio.open_unix_connection(self.address.socket))
                parts = urlsplit(f"//{authority}")
                port = parts.port or (443 if scheme == "https" else 80)
                return _Connection(
                    *await asyncio.open_connection(parts.hostname, port, ssl=self._tls)
                )
        except TimeoutError as error:
            raise NotReachedError(f"no connection within {connect_s:g} s") from error
        except OSError as error:
            raise NotReachedError(_reason(error)) from error


class _Connection:
    """One connection, for one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)
        self.used_s = time.monotonic()

    async def exchange(self, request: h11.Request, body: bytes) -> Answer:
        """Send a request and read its answer. Raises `OSError` and `RemoteProtocolError`."""
        pieces = [self._http.send(request)]
        if body:
            pieces.append(self._http.send(h11.Data(data=body)))
        pieces.append(self._http.send(h11.EndOfMessage()))
        self._writer.writelines(piece for piece in pieces if piece)
        await self._writer.drain()
        return await self._answer()

    def begin_again(self) -> bool:
        """Get ready for another request, if the connection can serve one."""
        self.used_s = time.monotonic()
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return self.is_open()

    def is_open(self) -> bool:
        """Whether nothing has come that was not asked for: most often the end of the connection,
        of which the event loop may not have heard yet."""
        if self._reader.at_eof() or self._writer.is_closing():
            return False
        return not _readable(self._writer.get_extra_info("socket").fileno())

    def close(self) -> None:
        self._writer.transport.abort()

    async def _answer(self) -> Answer:
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
                if length > ANSWER_BYTES:
                    raise OSError(f"the answer is longer than {ANSWER_BYTES} bytes")
                pieces.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and response is not None:
                headers = {k.decode("ascii"): v.decode("latin-1") for k, v in response.headers}
                return Answer(response.status_code, headers, b"".join(pieces))
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("the connection was closed")


def _readable(descriptor: int) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _reason(error: OSError) -> str:
    """The operating system's word for it; asyncio's own text repeats the address."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError | socket.gaierror) or not error.errno:
        return (error.strerror or str(error) or type(error).__name__).lower()
    return os.strerror(error.errno).lower()
