"""Client for the IPTV entries of the receiver's bouquets: streams from the internet.

The receiver's stream server would take their URL for a file name. Only URLs of the receiver's own
lists are opened, never one that a client sends.
"""

import asyncio
from collections.abc import AsyncIterator, Container
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import httpx

from ..lineup.sources import is_receivers_own, web_address
from ..network.failures import redirect_target
from ..receiver.address import StreamDeadlines
from ..receiver.errors import (
    CredentialsError,
    FileOverError,
    NoSignalError,
    NoTunerError,
    TimeLimitError,
    UnexpectedAnswerError,
    UnreachableError,
)
from ..receiver.read_pacing import CHUNK_BYTES, ReadPacing
from ..receiver.service_reference import ServiceReference
from ..receiver.stream import LiveSource, StreamOpener
from .conversion import FileSource
from .remote_transport import RemoteTransport

_REDIRECTS = 5
_FULL_BYTES = 64 * 1024
"""Largest read of httpcore. It pauses the socket between two reads."""
_PLAYLIST_TYPES = ("mpegurl", "dash+xml")


class StreamRouter:
    """Opens a service at the receiver or, for an IPTV entry, at its own address."""

    def __init__(self, receiver: StreamOpener, iptv: "IptvClient") -> None:
        self._receiver = receiver
        self._iptv = iptv

    def open(self, service: ServiceReference) -> AbstractAsyncContextManager[LiveSource]:
        """Open a service. Raises `ReceiverError`."""
        return self._iptv.open(service) if service.path else self._receiver.open(service)


class IptvClient:
    """Opens the streams of IPTV entries."""

    def __init__(
        self,
        receiver_host: str,
        deadlines: StreamDeadlines,
        *,
        receiver_ports: Container[int] = (),
    ) -> None:
        """`receiver_host` replaces loopback addresses, by which the receiver means itself. Where it
        is this machine's loopback as well, only `receiver_ports` may be connected to."""
        self._receiver_ports = receiver_ports
        self._receiver_host = f"[{receiver_host}]" if ":" in receiver_host else receiver_host
        self._deadlines = deadlines

    @asynccontextmanager
    async def open(self, service: ServiceReference) -> AsyncIterator[LiveSource]:
        """Open an entry's stream. The first byte has arrived when this returns.

        Leaving the context closes the connection. Raises as `StreamClient.open` does; reading
        raises `FileOverError` at the end of a file.
        """
        url = self._url(service)
        own = is_receivers_own(service.path)
        async with httpx.AsyncClient(
            timeout=httpx.Timeout(self._deadlines.stall_s, connect=self._deadlines.connect_s),
            follow_redirects=not own,
            max_redirects=_REDIRECTS,
            # The receiver may be on this machine; its lists name nothing else on it.
            transport=RemoteTransport(local_ports=self._receiver_ports if own else ()),
            headers={"User-Agent": "xg2g", "Accept-Encoding": "identity"},
            trust_env=False,
        ) as client:
            try:
                async with asyncio.timeout(self._deadlines.first_byte_s), _foreign_errors(url):
                    response = await client.send(client.build_request("GET", url), stream=True)
                    _check(response)
                    pieces = response.aiter_raw()
                    first = await anext(pieces, b"")
            except TimeoutError as error:
                raise TimeLimitError(
                    f"{_host(url)} sent nothing for {self._deadlines.first_byte_s:g} s"
                ) from error
            if not first:
                raise NoSignalError(f"the stream of {_host(url)} ended before it began")
            # A live stream does not know its length.
            body = _IptvFile if "content-length" in response.headers else _IptvStream
            async with aclosing(body(url, first, pieces, self._deadlines.stall_s)) as stream:
                yield stream

    def _url(self, service: ServiceReference) -> str:
        url = web_address(service)
        if url is None:
            raise UnexpectedAnswerError("the IPTV entry has no address that can be opened")
        if not is_receivers_own(url):
            return url
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        return urlunsplit(parts._replace(netloc=f"{self._receiver_host}{port}"))


class _IptvStream:
    """The body of a response."""

    def __init__(
        self, url: str, first: bytes, pieces: AsyncIterator[bytes], stall_s: float
    ) -> None:
        self._url = url
        self._first = first
        self._pieces = pieces
        self._stall_s = stall_s
        self._coming: asyncio.Task[bytes] | None = None
        self._loop = asyncio.get_running_loop()
        self._pace = ReadPacing(self._loop.time(), full_bytes=_FULL_BYTES)
        self._due_s = 0.0

    async def read(self) -> bytes:
        if self._first:
            piece, self._first = self._first[:CHUNK_BYTES], self._first[CHUNK_BYTES:]
            return piece
        if self._coming is None and (wait_s := self._due_s - self._loop.time()) > 0:
            await asyncio.sleep(wait_s)
        # httpx ends a response whose reader is cancelled; the next read would return its end.
        self._coming = self._coming or asyncio.create_task(self._next_piece())
        try:
            async with asyncio.timeout(self._stall_s), _foreign_errors(self._url):
                piece = await asyncio.shield(self._coming)
        except TimeoutError as error:
            raise TimeLimitError(f"the stream brought no data for {self._stall_s:g} s") from error
        self._coming = None
        now_s = self._loop.time()
        self._due_s = now_s + self._pace.wait_s(len(piece), now_s)
        return piece

    async def aclose(self) -> None:
        """End a read that is under way."""
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.wait({self._coming})

    async def _next_piece(self) -> bytes:
        return await anext(self._pieces, b"")


class _IptvFile(_IptvStream, FileSource):
    """The body of a response with `Content-Length`."""

    async def read(self) -> bytes:
        piece = await super().read()
        if not piece:
            raise FileOverError(f"the file of {_host(self._url)} is over")
        return piece


def _check(response: httpx.Response) -> None:
    host, status = _host(str(response.url)), response.status_code
    if status in (401, 403):
        raise CredentialsError(f"{host} refuses the stream (HTTP status {status})")
    if status in (404, 410, 429, 503):
        raise NoTunerError(f"{host} has no such stream now (HTTP status {status})")
    if response.is_redirect:
        target = redirect_target(str(response.url), response.headers.get("location", ""))
        to = _host(target) if target else "nowhere"
        raise UnexpectedAnswerError(f"{host} gives no stream: it redirects to {to}")
    if status != 200:
        raise UnexpectedAnswerError(f"{host} gives no stream (HTTP status {status})")
    media_type = response.headers.get("content-type", "").lower()
    if any(word in media_type for word in _PLAYLIST_TYPES):
        raise UnexpectedAnswerError(
            f"{host} gives a playlist (HLS or DASH) where xg2g needs a transport stream"
        )


@asynccontextmanager
async def _foreign_errors(url: str) -> AsyncIterator[None]:
    """Turn httpx's exceptions into `ReceiverError`s. They name only the host: IPTV URLs contain
    secrets."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise TimeLimitError(f"{_host(url)} does not answer") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnreachableError(
            f"the stream of {_host(url)} broke ({type(error).__name__})"
        ) from error


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the stream's host"
