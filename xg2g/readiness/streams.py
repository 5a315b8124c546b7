"""The receiver's streams: each stream that is opened reports the state of the stream server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from ..receiver.address import ReceiverAddress
from ..receiver.errors import (
    CredentialsError,
    OutOfFilesError,
    ReceiverError,
    TimeLimitError,
    UnexpectedAnswerError,
    UnreachableError,
)
from ..receiver.service_reference import ServiceReference
from ..receiver.stream import LiveSource, StreamOpener
from .port import port_trouble
from .readiness import READY, Finding, Part, Readiness, State

ANSWER_S = 3.0
"""Timeout for the web interface's answer while streams are silent."""

_SERVER_FAILS = (UnreachableError, CredentialsError, UnexpectedAnswerError)
"""Errors of the stream server itself. Other errors concern a single service."""


class WatchedStreams:
    """A `StreamOpener` over the stream server of one address."""

    def __init__(
        self,
        streams: StreamOpener,
        address: ReceiverAddress,
        readiness: Readiness,
        ask: Callable[[], Awaitable[object]],
    ) -> None:
        """`ask` sends a cheap request to the web interface; raises `ReceiverError`."""
        self._streams = streams
        self._address = address
        self._readiness = readiness
        self._ask = ask
        self._refused: ServiceReference | None = None
        """A service that the stream server refused because of the server itself. Only another
        request shows whether it still refuses; it refuses before it tunes."""
        self._is_silent = False
        """True after a stream without data: caused by the channel, or by a receiver that hangs."""

    @asynccontextmanager
    async def open(self, service: ServiceReference) -> AsyncIterator[LiveSource]:
        """Open a service; raises `ReceiverError`."""
        async with AsyncExitStack() as stack:
            try:
                source = await stack.enter_async_context(self._streams.open(service))
            except ReceiverError as error:
                self._failed(service, error)
                raise
            self._works()
            yield _WatchedSource(source, self._broke)

    async def probe(self) -> Finding:
        """Check whether the server would serve a viewer, without using a tuner."""
        trouble = await port_trouble(self._address.host, self._address.stream_port)
        if trouble:
            where = self._address.authority(self._address.stream_port)
            return Finding(
                State.NOT_READY, f"cannot reach the receiver's stream server at {where}: {trouble}"
            )
        if self._refused is not None and (refusal := await self._refusal(self._refused)):
            return refusal
        self._refused = None
        if self._is_silent and (silence := await self._silence()):
            return silence
        self._is_silent = False
        return READY

    def _failed(self, service: ServiceReference, error: ReceiverError) -> None:
        if isinstance(error, _SERVER_FAILS):
            self._refused = None if isinstance(error, UnreachableError) else service
            self._readiness.failed(Part.STREAM_SERVER, str(error))
        elif isinstance(error, TimeLimitError):
            self._broke(error)
        elif not isinstance(error, OutOfFilesError):
            # The server answered, and its error concerns this service.
            self._works()

    def _works(self) -> None:
        self._refused, self._is_silent = None, False
        self._readiness.worked(Part.STREAM_SERVER)

    def _broke(self, error: ReceiverError) -> None:
        self._is_silent = self._is_silent or isinstance(error, TimeLimitError)
        self._readiness.suspect(Part.STREAM_SERVER)

    async def _refusal(self, service: ServiceReference) -> Finding | None:
        try:
            async with self._streams.open(service):
                return None
        except _SERVER_FAILS as error:
            return Finding(State.NOT_READY, str(error))
        except ReceiverError:
            return None

    async def _silence(self) -> Finding | None:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._ask()
        except TimeoutError:
            reason = f"the receiver sends no data and has not answered for {ANSWER_S:g} s"
            return Finding(State.NOT_READY, f"{reason}; restart it if this persists")
        except (UnreachableError, TimeLimitError) as error:
            return Finding(State.NOT_READY, str(error))
        except ReceiverError:
            return None
        return None


class _WatchedSource:
    """A `LiveSource` that reports when it breaks."""

    def __init__(self, source: LiveSource, broke: Callable[[ReceiverError], None]) -> None:
        self._source = source
        self._broke = broke

    async def read(self) -> bytes:
        try:
            return await self._source.read()
        except ReceiverError as error:
            self._broke(error)
            raise
