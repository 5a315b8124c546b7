"""Holds the lineup: from the store at once, and from the receiver when that gives a better one."""

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
"""How long most channels have to be missing before that is believed: a receiver that starts up
answers for a minute or so with a part of its lists."""


class UnknownBouquetError(Exception):
    """A bouquet is wanted that the receiver does not have. The text is one line for a user."""


class LineupKeeper:
    """The lineup of today. One task at a time may `load`."""

    def __init__(
        self,
        read: Read,
        database: Database,
        *,
        read_at_once: Read | None = None,
        wanted: Sequence[str] = (),
        clock_s: Callable[[], float],
    ) -> None:
        """`read_at_once` is a quicker way, which may bring less about each channel, and which not
        every receiver knows. `wanted` names bouquets, none for all. `clock_s` only has to run on.
        """
        self._read = read
        self._read_at_once = read_at_once
        self._database = database
        self._wanted = wanted
        self._clock_s = clock_s
        self._collapsed_since_s: float | None = None
        self.is_doubtful = False
        """Whether the last reading was put aside; another should follow soon."""
        self.lineup: Lineup | None = None
        """None until it was read once, in this life or an earlier one."""
        self.read_at_s: float | None = None
        """When the receiver last gave all of it, by the clock; None if not yet in this life."""
        self.trouble: Exception | None = None
        """Why the last attempt to read it failed, if it did."""
        self.names: tuple[str, ...] | None = None
        """Of all bouquets that the receiver has, served or not; None until it said so, in this
        life or an earlier one."""
        self.is_of_others = False
        """Whether the lineup that was restored was made of other bouquets than are wanted now."""
        self._told: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Bouquets that are wanted and that the receiver does not have, as far as is known."""
        return choose(self._wanted, self.names).missing if self.names is not None else ()

    @property
    def missing_text(self) -> str:
        """One line for a user about what is `missing`."""
        return unknown(self.missing, self.names or ())

    async def restore(self) -> None:
        """Take the lineup that is stored, if there is one. Raises `StoreError`."""
        self.lineup = await self._database.read(channel_table.load)
        self.names = await self._database.read(channel_table.bouquet_names)
        stored = await self._database.read(channel_table.wanted_bouquets)
        self.is_of_others = stored is not None and stored != tuple(self._wanted)

    async def load_first(self, *, strict: bool = False) -> Lineup:
        """Read a first lineup, keep it and return it: every channel with its number, and perhaps
        not all about each, which `load` will bring. Raises as that does.

        `strict` raises `UnknownBouquetError` when a bouquet is wanted that is not there, and keeps
        nothing then.
        """
        if self._read_at_once:
            try:
                return await self._load(self._read_at_once, level=logging.DEBUG, strict=strict)
            except (UnexpectedAnswerError, TimeLimitError) as error:
                log.info("bouquets are read one by one", reason=str(error))
        return await self._load_whole(strict=strict)

    async def load(self) -> Lineup:
        """Read the lineup, keep it, and return what holds from now on.

        That is the lineup of before when the receiver has suddenly lost most of it. Raises
        `ReceiverError` and `StoreError`; then, too, the lineup of before holds.
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
        # Beside the event loop: 10,000 channels take a tenth of a second.
        seen = await asyncio.to_thread(arrange, bouquets, wanted=self._wanted)
        if strict and seen.missing:
            raise UnknownBouquetError(unknown(seen.missing, seen.names))
        before = self.lineup
        # Doubtful is what the receiver has lost, not what the settings no longer want.
        anywhere = await asyncio.to_thread(arrange, bouquets) if self._wanted else seen
        self.is_doubtful = before is not None and self._doubts(before, seen, anywhere)
        if before is None or not _is_collapse(before, anywhere):
            # It is not starting up: these are its bouquets, whatever becomes of the channels.
            self._learn(seen)
        if before and self.is_doubtful:
            log.warning(
                "most channels are missing; the lineup stays as it was until they stay away",
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
        self.is_of_others = False
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
        if seen.missing != self._told:
            self._told = seen.missing
            if seen.missing:
                log.warning(self.missing_text)

    def _doubts(self, before: Lineup, seen: Arrangement, anywhere: Arrangement) -> bool:
        if before.channels and not seen.candidates:
            # Nobody has a receiver in order to watch nothing.
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
