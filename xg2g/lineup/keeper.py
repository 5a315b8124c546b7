"""Keeps the lineup: from the store at once, and up to date from the receiver."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import structlog

from ..receiver.errors import ReceiverError, TimeLimitError, UnexpectedAnswerError
from ..store.database import Database, StoreError
from . import channel_table
from .arrangement import Arrangement, Bouquet, arrange
from .lineup import Lineup
from .naming import choose, unknown
from .numbering import is_collapse

log = structlog.get_logger()

Read = Callable[[], Awaitable[Sequence[Bouquet]]]

CONFIRMED_AFTER_S = 120
"""How long most channels must be missing until the lineup loses them: a receiver that starts up
answers with a part of its lists for a minute or so."""


class UnknownBouquetError(Exception):
    """The receiver does not have a wanted bouquet. The text is one line for a user."""


class LineupKeeper:
    """The current lineup. One task at a time may `load`."""

    def __init__(
        self,
        read: Read,
        database: Database,
        *,
        read_at_once: Read | None = None,
        wanted: Sequence[str] = (),
        clock_s: Callable[[], float],
    ) -> None:
        """`read_at_once` is faster than `read`, may return less about each channel, and does not
        work with every receiver. `wanted` names bouquets; empty for all. `clock_s` is monotonic.
        """
        self._read = read
        self._read_at_once = read_at_once
        self._database = database
        self._wanted = wanted
        self._clock_s = clock_s
        self._collapsed_since_s: float | None = None
        self.is_doubtful = False
        """The last reading was not accepted; another one should follow soon."""
        self.lineup: Lineup | None = None
        """None until it was read once, by this process or an earlier one."""
        self.read_at_s: float | None = None
        """When all of it was last read, by the clock; None if this process has not read it yet."""
        self.trouble: Exception | None = None
        """Why the last attempt to read it failed, or None."""
        self.names: tuple[str, ...] | None = None
        """Names of all the receiver's bouquets, served or not; None until they were read once, by
        this process or an earlier one."""
        self.is_for_other_bouquets = False
        """The restored lineup was made of other bouquets than are wanted now."""
        self._reported: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Wanted bouquets that the receiver does not have; empty until its bouquets are known."""
        return choose(self._wanted, self.names).missing if self.names is not None else ()

    @property
    def missing_text(self) -> str:
        """One line for a user about the `missing` bouquets."""
        return unknown(self.missing, self.names or ())

    async def restore(self) -> None:
        """Load the stored lineup, if there is one. Raises `StoreError`."""
        self.lineup = await self._database.read(channel_table.load)
        self.names = await self._database.read(channel_table.bouquet_names)
        stored = await self._database.read(channel_table.wanted_bouquets)
        self.is_for_other_bouquets = stored is not None and stored != tuple(self._wanted)

    async def load_first(self, *, strict: bool = False) -> Lineup:
        """Read, store and return a first lineup: every channel with its number, perhaps without
        the details that `load` adds. Raises as `load`.

        With `strict` it raises `UnknownBouquetError` when a wanted bouquet is missing, and stores
        nothing.
        """
        if self._read_at_once:
            try:
                return await self._load(self._read_at_once, level=logging.DEBUG, strict=strict)
            except (UnexpectedAnswerError, TimeLimitError) as error:
                log.info("bouquets are read one by one", reason=str(error))
        return await self._load_whole(strict=strict)

    async def load(self) -> Lineup:
        """Read and store the lineup, and return the one that is valid now.

        The earlier lineup stays valid when the receiver has suddenly lost most of its channels, and
        when this raises `ReceiverError` or `StoreError`.
        """
        if self.lineup is None:
            first = await self.load_first()
            if self.read_at_s is not None:
                return first
        return await self._load_whole()

    async def _load_whole(self, *, strict: bool = False) -> Lineup:
        lineup = await self._load(self._read, strict=strict)
        self.read_at_s = self._clock_s()
        return lineup

    async def _load(self, read: Read, *, level: int = logging.INFO, strict: bool = False) -> Lineup:
        try:
            self.lineup = await self._accept(await read(), level, strict=strict)
        except (ReceiverError, StoreError) as error:
            self.trouble = error
            raise
        self.trouble = None
        return self.lineup

    async def _accept(self, bouquets: Sequence[Bouquet], level: int, *, strict: bool) -> Lineup:
        # In a thread: 10,000 channels take a tenth of a second.
        seen = await asyncio.to_thread(arrange, bouquets, wanted=self._wanted)
        if strict and seen.missing:
            raise UnknownBouquetError(unknown(seen.missing, seen.names))
        before = self.lineup
        # Channels that the settings no longer want are not lost: look at all bouquets.
        anywhere = await asyncio.to_thread(arrange, bouquets) if self._wanted else seen
        self.is_doubtful = before is not None and self._doubts(before, seen, anywhere)
        if before is None or not _is_collapse(before, anywhere):
            # The receiver is not starting up, so these are its bouquets.
            self._learn(seen)
        if before and self.is_doubtful:
            log.warning(
                "most channels are missing; the lineup stays unchanged until this is confirmed",
                channels=len(before.channels),
                seen=len(seen.candidates),
            )
            return before
        change = await self._database.write(
            lambda connection: channel_table.apply(
                connection,
                lambda known: arrange(bouquets, wanted=self._wanted, known_groups=known),
            )
        )
        self._learn(seen)
        self.is_for_other_bouquets = False
        log.log(
            level,
            "lineup read",
            channels=len(change.lineup.channels),
            new=change.new,
            removed=change.removed,
            left_out=change.arrangement.left_out,
        )
        return change.lineup

    def _learn(self, seen: Arrangement) -> None:
        self.names = seen.names
        if seen.missing != self._reported:
            self._reported = seen.missing
            if seen.missing:
                log.warning(self.missing_text)

    def _doubts(self, before: Lineup, seen: Arrangement, anywhere: Arrangement) -> bool:
        if before.channels and not seen.candidates:
            # A receiver without channels is never what its owner wants.
            return True
        if not _is_collapse(before, anywhere):
            self._collapsed_since_s = None
            return False
        now_s = self._clock_s()
        if self._collapsed_since_s is None:
            self._collapsed_since_s = now_s
        return now_s - self._collapsed_since_s < CONFIRMED_AFTER_S


def _is_collapse(before: Lineup, seen: Arrangement) -> bool:
    listed = [channel.id for channel in before.channels]
    return is_collapse(listed, (candidate.id for candidate in seen.candidates))
