"""Reads the configuration again on SIGHUP and applies what can change in a running daemon."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, ClassVar, Final, Protocol

import structlog

from ..config import Configuration, Settings
from ..config.setting import Setting, settings_of
from ..errors import UserError
from ..web.http.access import Access
from . import logs, signals
from .receiver_session import ReceiverSession

log = structlog.get_logger()

ReadAgain = Callable[[], Configuration]
"""Reads all sources anew; raises `ConfigurationError`."""
Check = Callable[[Settings, Settings], None]
"""Raises `UserError` for settings that cannot work, now or after a restart. Called with the current
settings and the new ones."""


class LivePart(Protocol):
    """A part of the daemon whose settings can change while it runs."""

    LIVE_KEYS: ClassVar[frozenset[str]]
    """The settings that `apply` uses. A change of any other setting takes a restart."""

    async def apply(self, settings: Settings) -> None:
        """Use these settings from now on. Open streams stay as they are."""
        ...


LIVE_PARTS: Final[tuple[type[LivePart], ...]] = (ReceiverSession, Access, logs.LiveLogs)
"""Every part with live settings."""

LIVE_KEYS: Final = frozenset().union(*(part.LIVE_KEYS for part in LIVE_PARTS))
"""Every setting that a running daemon can change."""


class Reloader:
    """Holds the settings of the running daemon and changes them."""

    def __init__(
        self, settings: Settings, read_again: ReadAgain, parts: Sequence[LivePart], check: Check
    ) -> None:
        self.settings = settings
        self._read_again = read_again
        self._parts = parts
        self._check = check

    async def reload(self) -> None:
        """Read the configuration again and apply it.

        An invalid configuration is logged and changes nothing. A changed setting that takes a
        restart is logged and keeps its value.
        """
        try:
            configuration = self._read_again()
            self._check(self.settings, configuration.settings)
        except UserError as error:
            for line in str(error).splitlines():
                log.error(line)
            log.error("settings unchanged")
            return
        wanted = configuration.settings
        changed = [it for it in _all() if _value(wanted, it) != _value(self.settings, it)]
        applied: set[str] = set()
        for part in self._parts:
            if keys := part.LIVE_KEYS & {it.key for it in changed}:
                self.settings = _with(self.settings, wanted, keys)
                await part.apply(self.settings)
                applied |= keys
        logs.note(configuration)
        for it in changed:
            if it.key not in applied:
                log.warning("changed setting takes a restart", setting=it.key)
        log.info("settings read again", changed=sorted(applied))


def hold_hangups() -> None:
    """Block SIGHUP until `reloading_on_hangup` runs, so that it does not end a starting daemon."""
    if signals.HANGUP is not None:
        signals.hold(signals.HANGUP)


@asynccontextmanager
async def reloading_on_hangup(reload: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `reload` for each SIGHUP within the context, one at a time, and for a blocked one.

    SIGHUP also reports that the terminal was closed. A daemon that was started on a terminal ends
    then, as it would without this handler. Where there is no SIGHUP, `reload` is never called.
    """
    if signals.HANGUP is None:
        yield
        return
    requested = asyncio.Event()
    had_terminal = sys.stdin is not None and sys.stdin.isatty()

    def hung_up() -> None:
        if had_terminal and not os.isatty(sys.stdin.fileno()):
            signal.raise_signal(signal.SIGTERM)
        else:
            requested.set()

    async def reload_on_request() -> None:
        while True:
            await requested.wait()
            requested.clear()
            await reload()

    with signals.handling(signals.HANGUP, hung_up):
        reloading = asyncio.create_task(reload_on_request())
        try:
            yield
        finally:
            reloading.cancel()
            await asyncio.wait({reloading})


def _all() -> list[Setting]:
    return list(settings_of(Settings).values())


def _value(settings: Settings, setting: Setting) -> Any:
    return getattr(getattr(settings, setting.section), setting.name)


def _with(settings: Settings, wanted: Settings, keys: frozenset[str]) -> Settings:
    """Return the settings with the values of these keys replaced by the wanted ones."""
    sections: dict[str, dict[str, Any]] = {}
    for it in _all():
        if it.key in keys:
            sections.setdefault(it.section, {})[it.name] = _value(wanted, it)
    return replace(
        settings,
        **{
            section: replace(getattr(settings, section), **values)
            for section, values in sections.items()
        },
    )
