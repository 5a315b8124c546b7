"""One stream, converted by one transcoder after the other as they are lost."""

import asyncio
import time
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self

from ..base import Backend, Piece, Remuxer, RemuxOptions, RemuxStats
from ..errors import ClosedError, FinishedError, UnavailableError
from .background import BackgroundTasks
from .input_buffer import WAITING_BYTES, InputBuffer
from .observer import Observer
from .pool import TranscoderPool
from .remote_remuxer import LostError, RemoteRemuxer

OUTAGE_S: Final = 30.0
"""How long a stream without a transcoder is kept alive. A container or pod restarts within that
time, and players wait about as long."""

LOSSES_PER_BODY: Final = 2
"""How many transcoders may be lost with the same input before that input is dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The objects that all remuxers of one backend share."""

    pool: TranscoderPool
    fallback: Backend | None
    live: bool
    """Input arrives in real time: while there is no transcoder it is buffered, and beyond a limit
    the oldest is dropped. False: calls wait, and nothing is dropped."""
    observer: Observer
    background: BackgroundTasks
    clock_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class ExternalRemuxer:
    """A remuxer of one stream that runs in transcoder services. Made by `ExternalBackend.open`.

    Calls made during a request wait; their chunks leave together in the next request, and the first
    of these calls returns their output. When a transcoder is lost, another one continues with the
    input that was not acknowledged (a splice). While none is available, `process` of a live stream
    returns nothing; after `OUTAGE_S` it raises `UnavailableError`. Counters are lost with their
    transcoder, except the byte counters.
    """

    def __init__(
        self, context: Context, options: RemuxOptions, remuxer: RemoteRemuxer | Remuxer
    ) -> None:
        self._context = context
        self._options = options
        self._remuxer: RemoteRemuxer | Remuxer | None = remuxer
        self._input = InputBuffer(options.program)
        self._losses = 0
        """Number of transcoders that were lost with the current body."""
        self._outage_since_s: float | None = None
        self._catches_up = False
        """Input from an outage is still waiting."""
        self._bytes_out = 0
        self._base_bytes = 0
        """Output of the remuxers before the current one."""
        self._lock = asyncio.Lock()
        self._finished = False
        self._closed = False

    async def process(self, chunk: bytes) -> Piece:
        self._check_open()
        if self._finished:
            raise FinishedError("the stream was finished before")
        self._input.add(chunk)
        async with self._lock:
            return await self._deliver()

    async def finish(self) -> Piece:
        self._check_open()
        if self._finished:
            return Piece(b"")
        self._finished = True
        async with self._lock:
            output = await self._deliver(to_the_end=True)
            self._check_open()
            if self._remuxer is not None:
                try:
                    rest = self._received(await self._remuxer.finish())
                    output = Piece.joined((output, rest))
                except LostError as error:
                    # Its last output is lost, and there is no input left to produce it again.
                    self._lose(error)
            return output

    async def stats(self) -> RemuxStats:
        async with self._lock:
            self._check_open()
            counters = RemuxStats()
            if self._remuxer is not None:
                try:
                    counters = await self._remuxer.stats()
                except LostError as error:
                    self._lose(error)
            bytes_in = self._input.acknowledged_bytes
            return replace(counters, bytes_in=bytes_in, bytes_out=self._bytes_out)

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            await self._context.background.run(self._close_remuxer())

    @property
    def closed(self) -> bool:
        """True once `aclose` was called."""
        return self._closed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            warnings.warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=1)

    async def _deliver(self, *, to_the_end: bool = False) -> Piece:
        """Send the waiting input, if there is a remuxer, and return its output."""
        output: list[Piece] = []
        self._check_open()
        while self._input.waiting_bytes and (self._remuxer or await self._splice()):
            output.append(await self._send())
            self._check_open()
            # The viewer has waited long enough: return this output, the next calls bring more.
            if output[-1].data and self._catches_up and self._context.live and not to_the_end:
                break
        self._catches_up = self._catches_up and self._input.waiting_bytes > 0
        return Piece.joined(output)

    async def _send(self) -> Piece:
        remuxer = self._remuxer
        if remuxer is None:
            return Piece(b"")
        limit = remuxer.body_bytes if isinstance(remuxer, RemoteRemuxer) else WAITING_BYTES
        # Empty when all waiting input was dropped.
        if not (body := self._input.body(limit)):
            return Piece(b"")
        try:
            output = await remuxer.process(body)
        except LostError as error:
            self._lose(error)
            return Piece(b"")
        self._input.acknowledge()
        self._losses = 0
        return self._received(output)

    def _lose(self, error: LostError) -> None:
        if isinstance(self._remuxer, RemoteRemuxer):
            self._context.pool.lost(self._remuxer, error)
        self._remuxer = None
        if error.silent_s and self._outage_since_s is None:
            self._outage_since_s = self._context.clock_s() - error.silent_s
        self._losses += error.input_was_seen
        if self._losses >= LOSSES_PER_BODY:
            self._context.observer.dropped(self._input.drop_body())
            self._losses = 0

    async def _splice(self) -> bool:
        """Continue with a new remuxer. Return False when none is available to a live stream.

        A stream that is not live waits for one.
        """
        options = replace(self._options, generation=self._options.generation + 1)
        while (remuxer := await self._next_remuxer(options)) is None:
            if self._context.live:
                self._context.observer.dropped(self._input.drop_oldest())
                return False
            await self._context.sleep(self._context.pool.next_due_in_s())
            self._check_open()
        self._remuxer = remuxer
        self._base_bytes = self._bytes_out
        self._options = options
        self._outage_since_s = None
        self._input.splice()
        self._catches_up = True
        self._context.observer.spliced()
        return True

    async def _next_remuxer(self, options: RemuxOptions) -> RemoteRemuxer | Remuxer | None:
        try:
            return await self._context.pool.open_now(options)
        except UnavailableError as error:
            if self._context.fallback is not None:
                return await self._fall_back(self._context.fallback, options)
            now_s = self._context.clock_s()
            if self._outage_since_s is None:
                self._outage_since_s = now_s
            if now_s - self._outage_since_s >= OUTAGE_S:
                raise UnavailableError(f"no transcoder for {OUTAGE_S:g} s: {error}") from error
            return None

    async def _fall_back(self, fallback: Backend, options: RemuxOptions) -> Remuxer:
        # Input that may have crashed a transcoder must not reach the C decoders in this process.
        # Video is parsed by Rust alone, so it is kept.
        if self._losses:
            self._context.observer.dropped(self._input.keep_video())
            self._losses = 0
        remuxer = await fallback.open(options)
        self._context.observer.fallen_back()
        return remuxer

    async def _close_remuxer(self) -> None:
        async with self._lock:
            remuxer, self._remuxer = self._remuxer, None
            if remuxer is not None:
                await remuxer.aclose()

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("the remuxer is closed")

    def _received(self, output: Piece) -> Piece:
        """Count a remuxer's output, and shift its points to their place in the stream's output."""
        self._bytes_out += len(output.data)
        return output.shifted(self._base_bytes)
