"""What `xg2g serve` runs, in the test's own process and loop."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

from xg2g.app.daemon import run
from xg2g.config import Settings
from xg2g.config.settings import ReceiverSettings, ServerSettings
from xg2g.simulator import SimulatedReceiver

if TYPE_CHECKING:
    from xg2g.app.announcement import Ready


def settings_for(receiver: SimulatedReceiver, linger_s: float = 5, **sections: Any) -> Settings:
    """Return settings for a simulated receiver and any free port, with these sections."""
    connection = ReceiverSettings(
        url=receiver.base_url, stream_port=receiver.stream_port, linger_s=linger_s
    )
    return Settings(receiver=connection, **{"server": ServerSettings(port=0), **sections})


@asynccontextmanager
async def serving(settings: Settings, *, keep_data: bool = True) -> AsyncIterator[str]:
    """A daemon with these settings, until the context ends as a service manager would end it.

    Yields its address once it serves; raises what ends its start.
    """
    ready: asyncio.Queue[Ready] = asyncio.Queue()
    daemon = asyncio.create_task(run(settings, on_ready=ready.put_nowait, keep_data=keep_data))
    waiting = asyncio.create_task(ready.get())
    await asyncio.wait({daemon, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if daemon.done():
        waiting.cancel()
        await daemon
    try:
        yield f"http://127.0.0.1:{waiting.result().port}"
    finally:
        signal.raise_signal(signal.SIGTERM)
        await daemon


@asynccontextmanager
async def client_of(
    settings: Settings, *, keep_data: bool = False, timeout_s: float = 60, **headers: str
) -> AsyncIterator[httpx.AsyncClient]:
    """Run a daemon with these settings, and yield a client of it."""
    async with (
        serving(settings, keep_data=keep_data) as address,
        httpx.AsyncClient(
            base_url=address, trust_env=False, timeout=timeout_s, headers=headers
        ) as client,
    ):
        yield client
