"""One stream, over as many transcoders as it takes."""

import asyncio
import time
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self

from ..base import Backend, Piece, Remuxer, RemuxOptions, RemuxStats
from ..errors import ClosedError, FinishedError, UnavailableError
from .background import Errands
from .input_buffer import WAITING_BYTES, Input
from .observer import Observer
from .pool import Pool
from .remote_remuxer import LostError, Session

OUTAGE_S: Final = 30.0
"""For which a stream without a transcoder is kept alive: a container or pod starts again within
it, and a player's patience lasts about as long."""

LOSSES_PER_BODY: Final = 2
"""Transcoders that the same input may be lost with, before it is the input that is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a remuxer shares with the others of its backend."""

    pool: Pool
    fallback: Backend | None
    live: bool
    """Input comes at its own pace: without a transcoder it is taken in, and beyond a limit the
    oldest is dropped. Otherwise calls wait, and nothing is dropped."""
    observer: Observer
    errands: Errands
    clock_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class ExternalRemuxer:
    """Converts one stream through services. Made by `ExternalBackend.open`.

    Chunks of calls that wait for their turn leave together in the next request, and what comes of
    them is returned by the first of these calls. A transcoder that is lost is followed by
    another one, which begins with what was not acknowledged. Until one can be had, `process` of a
    live stream returns nothing; after `OUTAGE_S` it raises `UnavailableError`. Counters are lost
    with their transcoder, but for the bytes.
    """

    def __init__(
        self, shared: Surroundings, options: RemuxOptions, remuxer: Session | Remuxer
    ) -> None:
        self._shared = shared
        self._options = options
        self._remuxer: Session | Remuxer | None = remuxer
        self._input = Input(options.program)
        self._losses = 0
        """Transcoders that were lost with the present body."""
        self._outage_since_s: float | None = None
        self._catches_up = False
        """Input still waits from a time without a transcoder."""
        self._bytes_out = 0
        self._base_bytes = 0
        """Output of the remuxers before the present one."""
        self._turn = asyncio.Lock()
        self._finished = False
        self._closed = False

    async def process(self, chunk: bytes) -> Piece:
        self._check_open()
        if self._finished:
            raise FinishedError("the stream was finished before")
        self._input.add(chunk)
        async with self._turn:
            return await self._deliver()

    async def finish(self) -> Piece:
        self._check_open()
        if self._finished:
            return Piece(b"")
        self._finished = True
        async with self._turn:
            output = await self._deliver(to_the_end=True)
            self._check_open()
            if self._remuxer is not None:
                try:
                    rest = self._received(await self._remuxer.finish())
                    output = Piece.joined((output, rest))
                except LostError as error:
                    # What it held is gone, and no input is left to make it from.
                    self._lose(error)
            return output

    async def stats(self) -> RemuxStats:
        async with self._turn:
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
            await self._shared.errands.run(self._give_back())

    @property
    def closed(self) -> bool:
        """Whether `aclose` was called."""
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
        """Send what waits, if there is anywhere to send it, and return what comes of it."""
        output: list[Piece] = []
        self._check_open()
        while self._input.waiting_bytes and (self._remuxer or await self._take_over()):
            output.append(await self._send())
            self._check_open()
            # The viewer has waited for long enough; each next call brings more.
            if output[-1].data and self._catches_up and self._shared.live and not to_the_end:
                break
        self._catches_up = self._catches_up and self._input.waiting_bytes > 0
        return Piece.joined(output)

    async def _send(self) -> Piece:
        remuxer = self._remuxer
        if remuxer is None:
            return Piece(b"")
        limit = remuxer.body_bytes if isinstance(remuxer, Session) else WAITING_BYTES
        # Empty when all that waited was given up.
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
        if isinstance(self._remuxer, Session):
            self._shared.pool.lost(self._remuxer, error)
        self._remuxer = None
        if error.silent_s and self._outage_since_s is None:
            self._outage_since_s = self._shared.clock_s() - error.silent_s
        self._losses += error.input_was_seen
        if self._losses >= LOSSES_PER_BODY:
            self._give_body_up()

    async def _take_over(self) -> bool:
        """Find another remuxer; return whether there is one, which a live stream cannot await."""
        options = replace(self._options, generation=self._options.generation + 1)
        while (remuxer := await self._next_remuxer(options)) is None:
            if self._shared.live:
                self._shared.observer.dropped(self._input.drop_oldest())
                return False
            await self._shared.sleep(self._shared.pool.next_due_in_s())
            self._check_open()
        self._remuxer = remuxer
        self._base_bytes = self._bytes_out
        self._options = options
        self._outage_since_s = None
        self._input.begin_anew()
        self._catches_up = True
        self._shared.observer.taken_over()
        return True

    async def _next_remuxer(self, options: RemuxOptions) -> Session | Remuxer | None:
        try:
            return await self._shared.pool.open_now(options)
        except UnavailableError as error:
            if self._shared.fallback is not None:
                return await self._fall_back(self._shared.fallback, options)
            now_s = self._shared.clock_s()
            if self._outage_since_s is None:
                self._outage_since_s = now_s
            if now_s - self._outage_since_s >= OUTAGE_S:
                raise UnavailableError(f"no transcoder for {OUTAGE_S:g} s: {error}") from error
            return None

    async def _fall_back(self, fallback: Backend, options: RemuxOptions) -> Remuxer:
        # What a transcoder may have died of does not come into this process: nothing that C code
        # decodes. Video is looked at in Rust alone, and the picture goes on.
        if self._losses:
            self._shared.observer.dropped(self._input.keep_video())
            self._losses = 0
        remuxer = await fallback.open(options)
        self._shared.observer.fallen_back()
        return remuxer

    def _give_body_up(self) -> None:
        self._shared.observer.dropped(self._input.drop_body())
        self._losses = 0

    async def _give_back(self) -> None:
        async with self._turn:
            remuxer, self._remuxer = self._remuxer, None
            if remuxer is not None:
                await remuxer.aclose()

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError("the remuxer is closed")

    def _received(self, output: Piece) -> Piece:
        """Count a remuxer's output, and place its points in that of the stream."""
        self._bytes_out += len(output.data)
        return output.behind(self._base_bytes)
