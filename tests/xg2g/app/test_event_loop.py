"""The event loop of the daemon."""

import asyncio
import sys

import pytest

from xg2g.app import event_loop


async def _loop(found: list[asyncio.AbstractEventLoop]) -> None:
    found.append(asyncio.get_running_loop())


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not made for Windows")
def test_uvloop_runs_where_there_is_one() -> None:
    found: list[asyncio.AbstractEventLoop] = []
    event_loop.run(_loop(found))
    assert type(found[0]).__module__ == "uvloop"


def test_without_uvloop_the_loop_of_asyncio_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    found: list[asyncio.AbstractEventLoop] = []
    event_loop.run(_loop(found))
    assert type(found[0]).__module__.startswith("asyncio.")
