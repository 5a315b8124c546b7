"""Reads the configuration again on SIGHUP, and changes the running daemon."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog

from ..config import Configuration, Settings
from ..config.setting import Setting, settings_of
from ..errors import UserError
from . import logs

log = structlog.get_logger()

Reread = Callable[[], Configuration]
"""Reads all sources anew; raises `ConfigurationError`."""
Apply = Callable[[Settings, frozenset[str]], Awaitable[None]]
"""Changes the daemon to these settings; the keys are those that differ. Raises `UserError` and has
changed nothing then."""


class Reloader:
    """Holds the settings that the daemon runs with."""

    def __init__(
        self,
        settings: Settings,
        reread: Reread,
        apply: Apply,
        *,
        check: Callable[[Settings, Settings], None] = lambda before, after: None,
    ) -> None:
        """`check` is given the settings of now and those that were read; raises `UserError` for
        such as cannot work, whether they would change now or at the next start."""
        self.settings = settings
        self._reread = reread
        self._apply = apply
        self._check = check

    async def reload(self) -> None:
        """Read again. What is wrong is logged, and everything stays as it is; what cannot change in
        a running daemon is logged, and the rest changes."""
        try:
            configuration = self._reread()
            wanted = configuration.settings
            self._check(self.settings, wanted)
            differing = [it for it in _all() if _value(wanted, it) != _value(self.settings, it)]
            live = frozenset(it.key for it in differing if it.is_live)
            settings = _with(self.settings, wanted, live)
            await self._apply(settings, live)
        except UserError as error:
            for line in str(error).splitlines():
                log.error(line)
            log.error("the settings stay as they are")
            return
        self.settings = settings
        logs.configure(settings.log)
        logs.note(configuration)
        for it in differing:
            if not it.is_live:
                log.warning("a change that takes a restart", setting=it.key)
        log.info("settings read again", changed=sorted(live))


def hold_hangups() -> None:
    """Have SIGHUP wait for `reloading_on_hangup`, instead of ending a daemon that is starting."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})


@asynccontextmanager
async def reloading_on_hangup(reload: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Call `reload` for each SIGHUP within the context, one at a time, and for one that was held.

    SIGHUP also tells that the terminal was closed. A daemon that was started on one ends then, as
    it would without this.
    """
    asked = asyncio.Event()
    had_terminal = sys.stdin is not None and sys.stdin.isatty()

    def hung_up() -> None:
        if had_terminal and not os.isatty(sys.stdin.fileno()):
            signal.raise_signal(signal.SIGTERM)
        else:
            asked.set()

    async def attend() -> None:
        while True:
            await asked.wait()
            asked.clear()
            await reload()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, hung_up)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    attending = asyncio.create_task(attend())
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        attending.cancel()
        await asyncio.wait({attending})


def _all() -> list[Setting]:
    return list(settings_of(Settings).values())


def _value(settings: Settings, setting: Setting) -> Any:
    return getattr(getattr(settings, setting.section), setting.name)


def _with(settings: Settings, wanted: Settings, keys: frozenset[str]) -> Settings:
    """The settings, with those of these keys as wanted."""
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
