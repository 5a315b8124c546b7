"""Signals, with the event loop's own handlers and where it has none."""

import asyncio
import signal
from typing import Any

import pytest

from xg2g.app import signals

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["with handlers", "without handlers"])
def anyio_backend(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, dict[str, Any]]:
    """An event loop that takes handlers of signals, and one that takes none, as on Windows."""
    takes_none = request.param == "without handlers"
    if takes_none:
        monkeypatch.delattr(asyncio.SelectorEventLoop, "add_signal_handler")
        monkeypatch.delattr(asyncio.SelectorEventLoop, "remove_signal_handler")
    return "asyncio", {"use_uvloop": not takes_none}


async def test_each_signal_is_handled_within_the_context_and_not_after_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    handled = asyncio.Event()
    with signals.handling(signal.SIGTERM, handled.set):
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
            async with asyncio.timeout(5):
                await handled.wait()
            handled.clear()
    assert signal.getsignal(signal.SIGTERM) is before


async def test_a_signal_that_was_held_is_handled_when_the_context_begins() -> None:
    assert signals.HANGUP is not None
    handled = asyncio.Event()
    signals.hold(signals.HANGUP)
    signal.raise_signal(signals.HANGUP)
    assert not handled.is_set()
    with signals.handling(signals.HANGUP, handled.set):
        async with asyncio.timeout(5):
            await handled.wait()


def test_a_request_to_end_comes_from_a_terminal_and_from_a_service_manager() -> None:
    assert {signal.SIGINT, signal.SIGTERM} <= set(signals.STOP)
