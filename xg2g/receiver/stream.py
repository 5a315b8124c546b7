"""Live streams from the receiver's stream server (port 8001), or a softcam relay (17999).

The server speaks HTTP in name only, so this is a small client of its own:

- The request has to arrive in one segment, with the header `Authorization`, spelt like this, in its
  first 512 bytes (enigma2 lib/dvb/streamserver.cpp). httpx changes the spelling of header names.
- The relay ends its lines with a bare LF and requires `Host` first (oscam module-streamrelay.c).
- `200 OK` comes before the receiver tunes. A refusal follows as the *body*, which then reads
  `HTTP/1.0 400 Bad Request`; a service without signal ends the body before its first byte; one
  without a PMT leaves the connection open and silent.
- The body has no length and ends with the connection.
"""

import asyncio
import errno
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import structlog

from ..network.failures import redirect_target, why_no_connection
from .address import ReceiverAddress, StreamDeadlines, refused_login
from .errors import (
    CredentialsError,
    NoSignalError,
    NoTunerError,
    OutOfFilesError,
    ReceiverError,
    TimeLimitError,
    UnexpectedAnswerError,
    UnreachableError,
)
from .receive_buffer import ReceiveBuffer
from .service_reference import ServiceReference

_HEAD_LIMIT_BYTES = 8 * 1024
"""Limit of the answer's head. Enigma2's has 110 bytes, that of an HTTP proxy some hundred."""

_HEAD_END = re.compile(rb"\n\r?\n")

_AUTHORIZATION_WITHIN_BYTES = 512

_RELAY_SPACING_S = 1.0
"""Pause between two requests to a softcam's relay; some fail at a second one that comes sooner."""

_RELAY_SHARE = 0.5
"""The relay's share of the time for a first byte; the rest is the stream server's. A relay needs 3
to 5 s to begin. When it cannot begin it ends the stream at once, or stays silent for half a
minute."""

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})\b")
_REDIRECT = re.compile(rb"HTTP/1\.[01] 3\d\d\b(?:.*?\nlocation:([^\r\n]*))?", re.I | re.S)
_STATUS_LINE_BYTES = len(b"HTTP/1.0 400")


log = structlog.get_logger()


class LiveSource(Protocol):
    """A live stream that is open."""

    async def read(self) -> bytes:
        """Return 1 to `CHUNK_BYTES` received bytes; `b""` at the end.

        A cancelled call loses nothing: the next one returns the bytes.
        """
        ...


class StreamOpener(Protocol):
    """Source of streams, such as `StreamClient`."""

    def open(self, service: ServiceReference) -> AbstractAsyncContextManager[LiveSource]:
        """Open a service's stream; raises `ReceiverError`."""
        ...


class StreamClient:
    """Opens streams of one receiver; some services go through its softcam's relay."""

    def __init__(
        self,
        address: ReceiverAddress,
        deadlines: StreamDeadlines,
        *,
        relayed: Callable[[ServiceReference], Awaitable[bool]] | None = None,
        explain: Callable[[ServiceReference], Awaitable[ReceiverError | None]] | None = None,
        relay_failed: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`relayed` tells whether a service goes through the relay. `explain` returns why a stream
        was refused, after its connection was closed; with None the error is `NoTunerError`.
        `relay_failed` is called when the stream server replaces the relay. `now` and `sleep` are
        for tests."""
        self._address = address
        self._deadlines = deadlines
        self._relayed = relayed
        self._explain = explain
        self._relay_failed = relay_failed
        self._now = now
        self._sleep = sleep
        self._relay_lock = asyncio.Lock()
        self._relay_free_at_s = now()

    @asynccontextmanager
    async def open(self, service: ServiceReference) -> AsyncIterator[LiveSource]:
        """Open a service's stream; enters once its first byte is there.

        Leaving the context closes the connection at once, which frees the tuner. Entering it
        raises a `ReceiverError`: `UnreachableError`, `CredentialsError`, `NoTunerError`,
        `UnknownServiceError`, `NoSignalError`, `TimeLimitError` or `UnexpectedAnswerError`;
        reading raises `UnreachableError` or `TimeLimitError`.
        """
        try:
            connection = await self._connect_for(service)
        except _RefusedError as refused:
            reason = await self._explain(service) if self._explain else None
            raise reason or NoTunerError(str(refused)) from refused
        try:
            yield connection
        finally:
            connection.abort()

    def _request(self, service: ServiceReference, port: int) -> bytes:
        lines = [
            f"GET /{service.stream_path} HTTP/1.0",
            f"Host: {self._address.authority(port)}",
        ]
        if self._address.credentials:
            lines.append(f"Authorization: {self._address.credentials.basic}")
        within = len("\r\n".join(lines)) + 2
        if within > _AUTHORIZATION_WITHIN_BYTES:
            raise CredentialsError(
                "user and password are too long for the receiver's stream server, which reads them "
                f"from the first {_AUTHORIZATION_WITHIN_BYTES} bytes of a request; shorten them"
            )
        lines += ["User-Agent: xg2g", "Accept: */*", "Connection: close"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    async def _connect_for(self, service: ServiceReference) -> "_Connection":
        direct, relay = self._address.stream_port, self._address.relay_port
        patience_s = self._deadlines.first_byte_s
        if direct != relay and self._relayed and await self._relayed(service):
            async with self._relay_lock:
                await self._sleep(max(0.0, self._relay_free_at_s - self._now()))
                self._relay_free_at_s = self._now() + _RELAY_SPACING_S
            began_s = self._now()
            try:
                return await self._begin(service, relay, patience_s * _RELAY_SHARE)
            except (ReceiverError, _RefusedError) as error:
                # The relay does not run, or does not send. Some services play without it; for the
                # others the stream server tells what is wrong.
                log.warning(
                    "stream relay failed; trying the stream server instead",
                    channel=service.channel_id,
                    reason=str(error),
                )
                self._relay_failed()
                patience_s -= min(self._now() - began_s, patience_s * _RELAY_SHARE)
        return await self._begin(service, direct, patience_s)

    async def _begin(
        self, service: ServiceReference, port: int, patience_s: float
    ) -> "_Connection":
        """Request a stream and wait for its first bytes. Closes the connection on an error."""
        intake = await self._connect(port)
        try:
            intake.write(self._request(service, port))
            await self._await_stream(intake, port, patience_s)
        except BaseException:
            intake.abort()
            raise
        intake.begin_stream(self._deadlines.stall_s)
        return _Connection(intake, self._deadlines.stall_s)

    async def _connect(self, port: int) -> ReceiveBuffer:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadlines.connect_s):
                _, intake = await loop.create_connection(ReceiveBuffer, self._address.host, port)
                return intake
        except TimeoutError as error:
            raise self._unreachable(port, "it does not answer") from error
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                raise OutOfFilesError(
                    "too many open files; raise LimitNOFILE= of the service, or ulimit -n"
                ) from error
            raise self._unreachable(port, why_no_connection(error)) from error

    async def _await_stream(self, intake: ReceiveBuffer, port: int, patience_s: float) -> None:
        """Read the answer's head and the first bytes of the stream, which are put back."""
        try:
            async with asyncio.timeout(patience_s):
                head = await self._read_head(intake, port)
                self._check_redirect(head, port)
                self._check_status(head, port)
                first = await intake.read()
                while len(first) < _STATUS_LINE_BYTES and first.startswith(b"H"):
                    more = await intake.read()
                    if not more:
                        break
                    first += more
        except TimeoutError as error:
            raise TimeLimitError(f"the receiver sent nothing for {patience_s:g} s") from error
        except OSError as error:
            raise self._unreachable(port, "the connection broke before the stream began") from error
        if not first:
            raise NoSignalError("the receiver found no signal for this service")
        self._check_status(first, port, of_the_body=True)
        intake.put_back(first)

    async def _read_head(self, intake: ReceiveBuffer, port: int) -> bytes:
        """Read up to the empty line, and put back what follows it."""
        head = b""
        while True:
            more = await intake.read()
            head += more
            if end := _HEAD_END.search(head, 0, _HEAD_LIMIT_BYTES):
                intake.put_back(head[end.end() :])
                return head[: end.end()]
            if not more or len(head) >= _HEAD_LIMIT_BYTES:
                raise UnexpectedAnswerError(
                    f"the server at {self._address.authority(port)} is not a stream server; check "
                    "the stream port"
                )

    def _check_redirect(self, head: bytes, port: int) -> None:
        location = _REDIRECT.match(head)
        if location is not None:
            authority = self._address.authority(port)
            target = redirect_target(f"http://{authority}/", (location[1] or b"").decode("latin-1"))
            raise UnexpectedAnswerError(
                f"the server at {authority} is not a stream server: it redirects to "
                f"{target or 'an invalid URL'}; check the stream port"
            )

    def _check_status(self, answer: bytes, port: int, *, of_the_body: bool = False) -> None:
        """Raise the error for a status other than 200. A body may begin without a status line."""
        match = _STATUS_LINE.match(answer)
        if match is None and of_the_body:
            return
        status = int(match[1]) if match else 0
        if status != 200:
            raise self._refusal(status, port)

    def _refusal(self, status: int, port: int) -> Exception:
        if status in (401, 403):
            return CredentialsError(f"the receiver's stream server {refused_login(self._address)}")
        if status in (400, 404, 503):
            return _RefusedError("the receiver has no free tuner, or does not know this service")
        return UnexpectedAnswerError(
            f"the server at {self._address.authority(port)} is not a stream server (HTTP status "
            f"{status}); check the stream port"
        )

    def _unreachable(self, port: int, why: str) -> UnreachableError:
        return UnreachableError(
            f"cannot reach the receiver's stream server at {self._address.authority(port)}: {why}"
        )


class _RefusedError(Exception):
    """No tuner is free, or the service is unknown: the receiver answers both alike."""


class _Connection:
    """The open stream."""

    def __init__(self, intake: ReceiveBuffer, stall_s: float) -> None:
        self._intake = intake
        self._stall_s = stall_s

    async def read(self) -> bytes:
        try:
            return await self._intake.read()
        except TimeoutError as error:
            raise TimeLimitError(f"the stream brought no data for {self._stall_s:g} s") from error
        except OSError as error:
            raise UnreachableError("the connection to the receiver broke") from error

    def abort(self) -> None:
        """Close at once, which frees the tuner; unread bytes are dropped."""
        self._intake.abort()
