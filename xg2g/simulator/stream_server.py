"""The stream port (8001), which behaves like Enigma2's eStreamServer, byte for byte.

It sends 200 before it tunes, so the body tells of a failure. The answer is HTTP/1.0 without a
length and ends with the connection. It reads a request in pieces of at most 512 bytes, until one
of them contains a line feed.
"""

from __future__ import annotations

from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import structlog

from xg2g.simulator.connections import while_connected
from xg2g.simulator.service import Answer, Service, ServiceReference, parse_reference
from xg2g.simulator.transmission import transmit

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator, Mapping

    from xg2g.simulator.air import Air
    from xg2g.simulator.tuners import TunerPool

MAX_READ_BYTES = 512

SUCCESS = (
    b"HTTP/1.0 200 OK\r\nConnection: Close\r\nContent-Type: video/mpeg\r\n"
    b"Server: streamserver\r\n\r\n"
)
REFUSAL = b"HTTP/1.0 400 Bad Request\r\n\r\n"
UNAUTHORIZED = (
    b'HTTP/1.0 401 Authorization Required\r\nWWW-Authenticate: Basic realm="streamserver"\r\n\r\n'
)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Credentials:
    """A user and a password, for Basic authentication."""

    user: str
    password: str

    @property
    def token(self) -> bytes:
        """Return the value after `Basic ` in the Authorization header."""
        return b64encode(f"{self.user}:{self.password}".encode())


@dataclass(frozen=True, eq=False)
class ActiveStream:
    """A stream that is being sent."""

    service: Service
    peer: str
    writer: asyncio.StreamWriter = field(repr=False)


class StreamServer:
    """The handler of the stream port's connections; `active` lists streams that hold a tuner."""

    def __init__(
        self,
        services: Mapping[ServiceReference, Service],
        tuners: TunerPool,
        air: Air,
        credentials: Credentials | None,
    ) -> None:
        self._services = services
        self._tuners = tuners
        self._air = air
        self._credentials = credentials
        self.active: list[ActiveStream] = []

    @property
    def wants_credentials(self) -> bool:
        """Return True when streams require user and password."""
        return self._credentials is not None

    def evict_oldest(self) -> bool:
        """End the oldest stream, and release its tuner at once; False if none runs."""
        if not self.active:
            return False
        stream = self.active.pop(0)
        stream.writer.close()
        self._tuners.release(stream.service.reference.transponder, at_once=True)
        return True

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection; the caller closes it."""
        request = await _read_request(reader)
        if request is None:
            return
        if not request.startswith(b"GET /"):
            writer.write(REFUSAL)
        elif not self._authorized(request):
            writer.write(UNAUTHORIZED)
        else:
            writer.write(SUCCESS)
            target = request.split(b" ", 2)[1]
            await while_connected(reader, self.send(target, writer))

    async def send(
        self, target: bytes, writer: asyncio.StreamWriter, *, cleared: bool = False
    ) -> None:
        """Tune to the service of the request target and send it; with `cleared`, as the softcam
        does."""
        service = self._find(target)
        if service is None:
            _log.info("simulator.unknown_service", target=target.decode("latin-1"))
            writer.write(REFUSAL)
        elif service.conditions.answer is Answer.REFUSE or not self._tuners.acquire(
            service.reference.transponder
        ):
            _log.info("simulator.no_tuner", service=service.name)
            writer.write(REFUSAL)
        else:
            with self._watched(service, writer):
                await transmit(service, self._air, writer, cleared=cleared)

    @contextmanager
    def _watched(self, service: Service, writer: asyncio.StreamWriter) -> Iterator[None]:
        stream = ActiveStream(service, writer.get_extra_info("peername")[0], writer)
        self.active.append(stream)
        _log.info("simulator.stream_begins", service=service.name, peer=stream.peer)
        try:
            yield
        finally:
            if stream in self.active:
                self.active.remove(stream)
                self._tuners.release(service.reference.transponder)
            _log.info("simulator.stream_ends", service=service.name, peer=stream.peer)

    def _find(self, target: bytes) -> Service | None:
        # The box takes `?` as well as `&` for the beginning of its options, wherever it stands: a
        # service name with a question mark makes the request fail. Transcoding needs an encoder.
        decoded = unquote_to_bytes(target).decode("utf-8", "replace")
        path, *options = decoded.replace("&", "?").split("?")
        if any(not option.startswith("duration=") for option in options):
            return None
        reference = parse_reference(path.removeprefix("/"))
        return self._services.get(reference) if reference else None

    def _authorized(self, request: bytes) -> bool:
        """Compare as the box does: case-sensitive, and Basic only."""
        if self._credentials is None:
            return True
        _, found, rest = request.partition(b"Authorization: Basic ")
        token, ended, _ = rest.partition(b"\r\n")
        return bool(found and ended) and token == self._credentials.token


async def _read_request(reader: asyncio.StreamReader) -> bytes | None:
    request = b""
    while b"\n" not in request:
        data = await reader.read(MAX_READ_BYTES)
        if not data or len(request) > MAX_READ_BYTES:
            return None
        request += data
    return request
