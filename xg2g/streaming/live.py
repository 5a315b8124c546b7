"""One live stream: from the receiver through the remuxer, for as long as it is held open."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from xg2g_backends.base import Backend, Piece, Remuxer, RemuxOptions, RemuxStats

from ..metrics import Metrics
from ..receiver.errors import NoSignalError, ReceiverError, ScrambledError, TimeLimitError
from ..receiver.service_reference import ServiceReference
from ..receiver.stream import LiveSource
from .freeze import FreezeWatch
from .opening import PATIENCE_S, Opening, Phase


class Receiver(Protocol):
    """Where streams come from; `xg2g.receiver.stream.StreamServer` is one."""

    def open(self, service: ServiceReference) -> AbstractAsyncContextManager[LiveSource]:
        """Open a service's stream; raises `ReceiverError`."""
        ...


class LiveStream(LiveSource, Protocol):
    """A stream that was converted."""

    on_freeze: Callable[[float], None]
    """Told each time that the viewer got nothing though the receiver sent, and for how many
    seconds."""

    async def stats(self) -> RemuxStats:
        """Return what was counted so far; raises `BackendError`."""
        ...


@dataclass(slots=True, kw_only=True)
class LiveStreams:
    """Opens services as streams that every client plays.

    What is assigned here later is for streams that are opened afterwards; the open ones go on.
    """

    receiver: Receiver
    backend: Backend
    options: RemuxOptions
    first_output_s: float
    """How long a stream that does arrive may give no output: garbage, or another service."""
    scrambled_after_s: float = 5
    """How long a stream may be noise: a softcam may need some seconds to open it."""
    metrics: Metrics
    now: Callable[[], float] = time.monotonic

    @asynccontextmanager
    async def open(self, service: ServiceReference) -> AsyncIterator[LiveStream]:
        """Open a service for one viewer. The first output is in hand when this returns.

        Leaving the context frees the receiver's stream first and the remuxer after it. Entering
        it, and reading, raise `ReceiverError` and `BackendError`.
        """
        # The PAT lists the whole transponder, the stream holds one service of it. A web stream
        # has what it has, whatever number its entry was given.
        options = replace(self.options, program=0 if service.path else service.sid)
        async with (
            await self.backend.open(options) as remuxer,
            self.receiver.open(service) as source,
        ):
            stream = _RemuxedStream(source, remuxer, self.metrics, self.now)
            await stream.begin(self.first_output_s, self.scrambled_after_s)
            yield stream

    @asynccontextmanager
    async def open_first(self, services: Sequence[ServiceReference]) -> AsyncIterator[LiveStream]:
        """Open the first of these that the receiver can bring. As `open`; raises what was wrong
        with the last."""
        async with AsyncExitStack() as stack:
            for service in services:
                try:
                    stream = await stack.enter_async_context(self.open(service))
                    break
                except ReceiverError:
                    if service is services[-1]:
                        raise
            yield stream


class _RemuxedStream:
    """A `LiveStream`."""

    def __init__(
        self,
        source: LiveSource,
        remuxer: Remuxer,
        metrics: Metrics,
        now: Callable[[], float],
    ) -> None:
        self.on_freeze: Callable[[float], None] = lambda frozen_s: None
        self._now = now
        self._freeze = FreezeWatch(now)
        self._has_begun = False
        self._source = source
        self._remuxer = remuxer
        self._metrics = metrics
        self._opening = Opening()
        self._first = b""
        self._ended = False

    async def begin(self, first_output_s: float, scrambled_after_s: float) -> None:
        """Read until there is something to see or hear."""
        now = asyncio.get_running_loop().time
        phase = self._opening.phase
        noise_until_s: float | None = None
        try:
            async with asyncio.timeout(first_output_s) as deadline:
                while not self._first and not self._ended:
                    self._first = await self._converted()
                    if self._opening.phase is phase:
                        continue
                    phase = self._opening.phase
                    if phase is Phase.SCRAMBLED:
                        noise_until_s = noise_until_s or now() + scrambled_after_s
                        deadline.reschedule(noise_until_s)
                    elif phase is Phase.CLEAR:
                        deadline.reschedule(now() + PATIENCE_S + first_output_s)
        except TimeoutError as error:
            if phase is Phase.SCRAMBLED:
                raise ScrambledError(
                    "the receiver does not descramble this channel: check its card or softcam"
                ) from error
            raise TimeLimitError(
                f"nothing of this service came from the receiver for {first_output_s:g} s"
            ) from error
        if not self._first:
            raise NoSignalError("the receiver's stream ended before anything could be shown")
        self._has_begun = True

    async def read(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        while not self._ended:
            if output := await self._converted():
                return output
        return b""

    async def stats(self) -> RemuxStats:
        return await self._remuxer.stats()

    async def _converted(self) -> bytes:
        """Read on; what can leave of that, which may be nothing."""
        asked_s = self._now()
        chunk = await self._source.read()
        self._freeze.received(self._now() - asked_s)
        self._metrics.bytes_in.inc(len(chunk))
        if chunk:
            return self._opening.take(await self._timed(self._remuxer.process(chunk)))
        self._ended = True
        return self._opening.take((await self._remuxer.finish()).data) + self._opening.rest()

    async def _timed(self, converting: Awaitable[Piece]) -> bytes:
        """Await what comes of input, and tell how long the viewer has waited for it."""
        output = b""
        failed = True
        try:
            output = (await converting).data
            failed = False
        finally:
            if output or failed:
                frozen_s = self._freeze.sent()
                if frozen_s is not None and self._has_begun:
                    self._metrics.freeze_s.observe(frozen_s)
                    self.on_freeze(frozen_s)
        return output
