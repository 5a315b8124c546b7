"""The signals that a platform has. This is the one place that knows.

Windows has neither SIGHUP nor masks, and its event loop takes no handlers. SIGINT (Ctrl-C) and
SIGTERM exist everywhere, though on Windows only the process itself can raise the latter.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

STOP: Final = (signal.SIGINT, signal.SIGTERM, *filter(None, [getattr(signal, "SIGBREAK", None)]))
"""Request to end. SIGBREAK is Ctrl-Break on Windows."""

HANGUP: Final[signal.Signals | None] = getattr(signal, "SIGHUP", None)
"""Request to read the settings again; None on Windows."""


def hold(number: signal.Signals) -> None:
    """Block a signal until `handling` runs, where the system can; elsewhere do nothing."""
    _mask("SIG_BLOCK", number)


@contextmanager
def handling(number: signal.Signals, call: Callable[[], object]) -> Iterator[None]:
    """Call `call` in the running event loop for each such signal within the context, and for one
    that was held. Enter it on the main thread."""
    loop = asyncio.get_running_loop()

    def call_soon(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(call)

    try:
        loop.add_signal_handler(number, call)
    except NotImplementedError:
        before = signal.signal(number, call_soon)
    else:
        before = None
    _mask("SIG_UNBLOCK", number)
    try:
        yield
    finally:
        if before is None:
            loop.remove_signal_handler(number)
        else:
            signal.signal(number, before)


def _mask(how: str, number: signal.Signals) -> None:
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(getattr(signal, how), {number})
