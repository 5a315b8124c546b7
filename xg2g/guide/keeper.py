"""Reads the guide into the store, piece by piece."""

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import structlog

from ..lineup.keeper import LineupKeeper
from ..store.database import Database
from . import programme_table
from .programme import Programme
from .reader import GuideSource, read_programmes
from .refresh_plan import Reading, RefreshPlan, delete_readings, load_readings, save_reading
from .timeline import OPEN_LIMIT_S

log = structlog.get_logger()

Received = dict[str, list[Programme]]
"""Programmes by channel."""

PIECE = 2000
"""Programmes that are held in memory and written at once."""


class GuideKeeper:
    """Keeps the guide of the lineup's channels up to date."""

    def __init__(
        self,
        receiver: GuideSource,
        lineup_keeper: LineupKeeper,
        database: Database,
        *,
        days: int,
        past_hours: float,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        """Read `days` ahead, and delete what ended `past_hours` ago. `clock_s` is the time since
        1970."""
        self._receiver = receiver
        self._lineup_keeper = lineup_keeper
        self._database = database
        self._days = days
        self._past_s = past_hours * 3600
        self._clock_s = clock_s

    async def refresh(self) -> None:
        """Read the guide. Raises `ReceiverError` and `StoreError`; the pieces that were read before
        the error stay."""
        lineup = self._lineup_keeper.lineup
        if lineup is None:
            return
        begin_s = self._clock_s()
        known = await self._database.read(load_readings)
        plan = RefreshPlan(known, now_s=int(begin_s), days=self._days)
        piece: Received = {}
        held = 0
        begin = datetime.fromtimestamp(begin_s, UTC)
        over_s = int(begin_s - self._past_s)
        async for channel_id, programme in read_programmes(
            self._receiver, lineup, begin, plan.minutes_for
        ):
            # A programme with unknown end may still run.
            ends_s = programme.begin_s + OPEN_LIMIT_S if programme.is_open else programme.end_s
            if ends_s < over_s or programme.begin_s > plan.until_s:
                # It would be deleted again at the end.
                continue
            if held >= PIECE and channel_id not in piece:
                put = partial(programme_table.put, received=piece)
                plan.changed += await self._database.write(put)
                piece, held = {}, 0
            piece.setdefault(channel_id, []).append(programme)
            held += 1
            plan.received[channel_id] += 1
        now_s = self._clock_s()

        def finish(connection: sqlite3.Connection) -> int:
            programme_table.mark_read(connection, int(now_s))
            plan.changed += programme_table.put(connection, piece)
            delete_readings(connection, plan.unsettled())
            read = Reading(int(begin_s), plan.until_s)
            save_reading(connection, plan.settled(), read)
            return programme_table.delete_outside(connection, over_s, plan.until_s)

        forgotten = await self._database.write(finish)
        log.info(
            "guide read",
            programmes=plan.received.total(),
            changed=plan.changed.total(),
            forgotten=forgotten,
            duration_s=round(now_s - begin_s, 1),
        )
