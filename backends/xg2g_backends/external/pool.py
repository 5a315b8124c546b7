"""The transcoders of a backend, and which of them gets the next remuxer."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, TypeVar

from ..base import RemuxOptions
from ..errors import InvalidArgumentError, UnavailableError
from .remote_remuxer import LostError, RemoteRemuxer
from .transcoder import FullError, Transcoder, UnusableError

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE_S: Final = 0.25
"""Pause after the first failure. A restarted service listens again within some 0.1 s."""
LONGEST_PAUSE_S: Final = 2.0
"""Pause after many failures. It is short because a viewer waits for the transcoder to return."""
LONGEST_REFUSAL_S: Final = 30.0
"""Longest `Retry-After` of a full transcoder that is honoured."""


@dataclass(slots=True)
class _Record:
    failures: int = 0
    due_s: float = 0.0


class Rotation(Generic[T]):
    """The order in which transcoders are tried. It decides and does no I/O.

    Transcoders take turns. One that failed or is full pauses for a while.
    """

    def __init__(
        self, transcoders: Sequence[T], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._transcoders = tuple(transcoders)
        self._records = [_Record() for _ in self._transcoders]
        self._clock_s = clock_s
        self._turn = 0

    def ready(self) -> list[T]:
        """Return the transcoders to try now, in this order; empty while all of them pause."""
        now_s = self._clock_s()
        return [s for s in self._take_turn() if self._record(s).due_s <= now_s]

    def all(self) -> list[T]:
        """Return every transcoder: first `ready()`, then those that pause, shortest first."""
        now_s = self._clock_s()
        return sorted(self._take_turn(), key=lambda s: max(self._record(s).due_s, now_s))

    def next_due_in_s(self) -> float:
        """Return the time until a transcoder can be tried."""
        return max(0.0, min(record.due_s for record in self._records) - self._clock_s())

    def worked(self, transcoder: T) -> bool:
        """Note that a remuxer was opened there. Return True if the transcoder had failed before."""
        record = self._record(transcoder)
        had_failed = record.failures > 0
        record.failures, record.due_s = 0, 0.0
        return had_failed

    def failed(self, transcoder: T) -> bool:
        """Note a failure. Return True if the transcoder worked before.

        Many streams notice the loss of a transcoder at once: together they count as one failure.
        """
        record = self._record(transcoder)
        if record.due_s > self._clock_s():
            return False
        record.failures += 1
        pause_s = min(FIRST_PAUSE_S * 2 ** min(record.failures - 1, 10), LONGEST_PAUSE_S)
        record.due_s = self._clock_s() + pause_s
        return record.failures == 1

    def refused(self, transcoder: T, retry_after_s: float) -> None:
        """Note that the transcoder is full and asks for a pause of `retry_after_s`."""
        pause_s = min(max(retry_after_s, FIRST_PAUSE_S), LONGEST_REFUSAL_S)
        self._record(transcoder).due_s = self._clock_s() + pause_s

    def _take_turn(self) -> tuple[T, ...]:
        first = self._turn
        self._turn = (first + 1) % len(self._transcoders)
        return self._transcoders[first:] + self._transcoders[:first]

    def _record(self, transcoder: T) -> _Record:
        return self._records[self._transcoders.index(transcoder)]


class TranscoderPool:
    """Opener of remuxers on several transcoders. It remembers which of them failed."""

    def __init__(
        self,
        transcoders: Sequence[Transcoder],
        clock_s: Callable[[], float],
        *,
        has_fallback: bool = False,
    ) -> None:
        """`has_fallback`: streams can continue without any of the transcoders."""
        self.transcoders = tuple(transcoders)
        self._rotation = Rotation(self.transcoders, clock_s)
        self._has_fallback = has_fallback
        for transcoder in self.transcoders:
            transcoder.has_alternative = partial(self._has_alternative, transcoder)
            transcoder.on_return = partial(self._rotation.worked, transcoder)

    async def open(self, options: RemuxOptions) -> RemoteRemuxer:
        """Open a remuxer. Every transcoder is tried before this gives up.

        Raises `UnavailableError`, and `InvalidArgumentError` for options that are refused.
        """
        transcoders = sorted(self._rotation.all(), key=lambda it: it.is_silent)
        if self._has_fallback:
            transcoders = [it for it in transcoders if not it.is_silent]
        return await self._open(transcoders, options)

    async def open_now(self, options: RemuxOptions) -> RemoteRemuxer:
        """Open a remuxer without trying transcoders that pause or are silent.

        Raises the errors of `open`.
        """
        transcoders = [it for it in self._rotation.ready() if not it.is_silent]
        return await self._open(transcoders, options)

    def next_due_in_s(self) -> float:
        """Return the time until `open_now` tries a transcoder again."""
        return self._rotation.next_due_in_s()

    def lost(self, remuxer: RemoteRemuxer, error: LostError) -> None:
        """Let the transcoder pause on which a remuxer was lost."""
        for transcoder in self.transcoders:
            # Behind a load balancer one instance is lost; another one may work.
            if transcoder.serves(remuxer) and not error.transcoder_works:
                self._failed(transcoder, f"the transcoder at {transcoder} is lost: {error}")

    async def aclose(self) -> None:
        """Close the connections."""
        await asyncio.gather(*(transcoder.aclose() for transcoder in self.transcoders))

    def _has_alternative(self, transcoder: Transcoder) -> bool:
        others = (it for it in self.transcoders if it is not transcoder)
        return self._has_fallback or any(not it.is_silent for it in others)

    async def _open(self, candidates: Sequence[Transcoder], options: RemuxOptions) -> RemoteRemuxer:
        reason = "no transcoder is available"
        for transcoder in candidates:
            try:
                remuxer = await transcoder.open(options)
            except FullError as error:
                self._rotation.refused(transcoder, error.retry_after_s)
                reason = str(error)
            except InvalidArgumentError as error:
                # An older transcoder refuses options that the first one accepted.
                if options.generation == 0:
                    raise
                reason = f"the transcoder at {transcoder} cannot continue a stream: {error}"
                self._failed(transcoder, reason)
            except UnusableError as error:
                self._failed(transcoder, str(error))
                reason = str(error)
            else:
                if self._rotation.worked(transcoder):
                    log.info("the transcoder at %s is used again", transcoder)
                return remuxer
        raise UnavailableError(reason)

    def _failed(self, transcoder: Transcoder, reason: str) -> None:
        transcoder.forget_description()
        if self._rotation.failed(transcoder):
            log.warning(reason)
