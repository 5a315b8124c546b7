"""The simulated receiver as a process: COPIES channels of each clip, with a tuner for each.

python -m bench.fanout.receiver PORT STREAM_PORT COPIES CLIP...
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from xg2g.app import event_loop, logs
from xg2g.config.settings import LogSettings
from xg2g.simulator import SimulatedReceiver

BURST_S = 0.02
"""Finer than any receiver sends, so that the daemon has to gather."""


async def _run(port: int, stream_port: int, copies: int, clips: list[Path]) -> None:
    async with SimulatedReceiver(
        port=port,
        stream_port=stream_port,
        sources=clips,
        copies=copies,
        tuners=copies * len(clips),
        guide_days=1,
        burst_s=BURST_S,
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    logs.configure(LogSettings())
    first, second, third, *paths = sys.argv[1:]
    event_loop.run(_run(int(first), int(second), int(third), [Path(path) for path in paths]))
