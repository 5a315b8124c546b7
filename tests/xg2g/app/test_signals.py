"""Signals, with the event loop's own handlers and where it has none."""

import asyncio
import signal

import pytest

from xg2g.app import signals

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["loop", "python"])
def platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the event loop take handlers, or let it have none, as on Windows."""
    if request.param == "python":

        def refuse(*_: object) -> None:
            raise NotImplementedError

        monkeypatch.setattr(
            asyncio.unix_events._UnixSelectorEventLoop, "add_signal_handler", refuse
        )
    return str(request.param)


async def test_each_signal_is_handled_within_the_context_and_not_after_it(platform: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    handled = asyncio.Event()
    with signals.handling(signal.SIGTERM, handled.set):
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
            async with asyncio.timeout(5):
                await handled.wait()
            handled.clear()
    assert signal.getsignal(signal.SIGTERM) is before


async def test_a_signal_that_was_held_is_handled_when_the_context_begins(platform: str) -> None:
    assert signals.HANGUP is not None
    handled = asyncio.Event()
    signals.hold(signals.HANGUP)
    signal.raise_signal(signals.HANGUP)
    await asyncio.sleep(0)
    assert not handled.is_set()
    with signals.handling(signals.HANGUP, handled.set):
        async with asyncio.timeout(5):
            await handled.wait()


def test_a_request_to_end_comes_from_a_terminal_and_from_a_service_manager() -> None:
    assert {signal.SIGINT, signal.SIGTERM} <= set(signals.STOP)
