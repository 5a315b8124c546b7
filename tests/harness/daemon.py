"""What `xg2g serve` runs, in the test's own process and loop."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from xg2g.app.daemon import run
from xg2g.config import Settings

if TYPE_CHECKING:
    from xg2g.app.announcement import Ready


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
