"""The checks of settings against the receiver: its address, its first lineup and its bouquets."""

from collections.abc import Iterable, Sequence

import structlog

from ..config import Settings
from ..errors import UsageError, UserError
from ..lineup.keeper import LineupKeeper, UnknownBouquetError
from ..lineup.naming import choose, unknown
from ..receiver.errors import ReceiverError, TimeLimitError, UnreachableError

log = structlog.get_logger()


async def load_first_lineup(keeper: LineupKeeper, settings: Settings) -> None:
    """Restore the stored lineup, or read a first one. Raises `UserError` if a bouquet in the
    settings does not exist, or if there is no lineup and `receiver.wait` is off.

    A stored lineup may be older than a bouquet, so the receiver is asked before a name is refused.
    """
    await keeper.restore()
    must_have_lineup = bool(settings.lineup.bouquets) or not settings.receiver.wait
    if (
        keeper.missing
        or keeper.is_for_other_bouquets
        or _missing_tuner_bouquets(keeper, settings)
        or (keeper.lineup is None and must_have_lineup)
    ):
        await _load_now(keeper, settings)
    if problem := _missing_tuner_bouquets(keeper, settings):
        raise UsageError(problem)


def check_changed_settings(keeper: LineupKeeper, before: Settings, after: Settings) -> None:
    """Raise `UsageError` for settings with which xg2g cannot go on, or cannot start again: no
    receiver, or a bouquet that does not exist."""
    after.receiver.address()
    if keeper.names is None:
        return
    problems = []
    if after.lineup.bouquets != before.lineup.bouquets:
        problems.append(_missing("", after.lineup.bouquets, keeper.names))
    if after.hdhomerun.bouquets != before.hdhomerun.bouquets:
        problems.append(_missing("hdhomerun.bouquets: ", after.hdhomerun.bouquets, keeper.names))
    for problem in filter(None, problems):
        raise UsageError(problem)


async def _load_now(keeper: LineupKeeper, settings: Settings) -> None:
    try:
        await keeper.load_first(strict=True)
    except UnknownBouquetError as error:
        raise UsageError(str(error)) from error
    except ReceiverError as error:
        if keeper.missing:
            raise UsageError(f"{keeper.missing_text} (at the last reading; now {error})") from error
        if keeper.lineup is None and not settings.receiver.wait:
            may_come = isinstance(error, UnreachableError | TimeLimitError)
            wait = " (with --wait, xg2g starts anyway and keeps asking)" if may_come else ""
            raise UserError(f"{error}{wait}") from error
        log.warning("bouquets are checked when the receiver answers", reason=str(error))


def _missing_tuner_bouquets(keeper: LineupKeeper, settings: Settings) -> str | None:
    if keeper.lineup is None:
        return None
    names = [group.name for group in keeper.lineup.groups]
    return _missing("hdhomerun.bouquets: ", settings.hdhomerun.bouquets, names)


def _missing(prefix: str, wanted: Sequence[str], names: Iterable[str]) -> str | None:
    """Return one line about the wanted bouquets that do not exist, or None."""
    names = tuple(names)
    missing = choose(wanted, names).missing
    return f"{prefix}{unknown(missing, names)}" if missing else None
