"""Thirty viewers for half an hour, and a receiver that misbehaves.

The viewers zap, read slowly or not at all, vanish, reset, pause and rewind by HLS; the receiver
stalls, restarts, is off and runs out of tuners; others in the house read the guide and change the
settings. All of it by chance, which `--seed` repeats. At the end nothing may be left: no stream,
lease, task, socket or thread, and no more memory than after the first minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console

from tests.harness.client import outcomes
from tests.load.load_test.audit import FREED_S, Held, Memory, Sharing, back_to, held, read_log
from tests.load.load_test.client import Connection
from tests.load.load_test.hls_viewers import HlsViewer
from tests.load.load_test.household import Household
from tests.load.load_test.network import Network, move_in
from tests.load.load_test.samples import Samples
from tests.load.load_test.stack import GARBAGE, LoadStack
from tests.load.load_test.steady import Pauses, Steady
from tests.load.load_test.tally import Tally
from tests.load.load_test.troubles import Troubles
from tests.load.load_test.verdict import Run, failures, report
from tests.load.load_test.viewers import Viewer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.load.load_test.viewers import Channel

LIKED = (
    "Card One HD",
    "Card Two HD",
    "Card Three & Friends",
    "Radio Four",
    "Card Six (sound changes)",
    "Channel 1 HD",
    "Channel 2 HD",
    "Channel 3",
    "Channel 5 HD",
)
"""On four transponders. With the others, there are more than tuners."""
SHARED = ("Card One HD", "Channel 1 HD", "Card Three & Friends")
"""By several at any time."""
STEADY = 2
"""Viewers of each of these who watch all the time."""
BROKEN_ON_AIR = frozenset((GARBAGE, "Gaps in mid-packet"))
WARM_UP = 12
"""Viewers at once before the first count: each thread that is ever started has been by then."""
WARM_UP_S = 6.0


async def run(stack: LoadStack, network: Network, arguments: argparse.Namespace) -> Run:
    """Let viewers watch for the given minutes, and measure what is left afterwards."""
    channels = await stack.channels()
    liked = [channel for channel in channels if channel.name in LIKED]
    shared = [channel for channel in channels if channel.name in SHARED]
    await _warm_up(stack, network, liked)
    base = await _base(stack)
    chances = (random.Random(f"{arguments.seed} {number}") for number in range(1_000_000))
    troubles, tally, memory = Troubles(stack.receiver, network, next(chances)), Tally(), Memory()
    pauses, sharing = Pauses(), Sharing()
    begun_s = time.monotonic()
    with Samples(troubles, BROKEN_ON_AIR) as samples:
        household = Household(stack, network, next(chances), tally)
        viewers = [
            Viewer(network, shared, liked, channels, next(chances), tally, samples, pauses)
            for _ in range(arguments.viewers)
        ]
        steady = [
            Steady(network, channel, pauses, lambda: troubles.calm_since_s)
            for channel in shared * STEADY
        ]
        async with asyncio.TaskGroup() as group:
            living = [group.create_task(each.live()) for each in viewers]
            living += [group.create_task(each.live()) for each in steady]
            by_hls = [HlsViewer(network, liked, next(chances), tally) for _ in range(arguments.hls)]
            living += [group.create_task(each.live()) for each in by_hls]
            living.append(group.create_task(household.live()))
            living.append(group.create_task(memory.watch(stack.daemon)))
            living.append(group.create_task(sharing.watch(stack)))
            await troubles.go_on(begun_s + arguments.minutes * 60)
            for task in living:
                task.cancel()
    lasted_s = time.monotonic() - begun_s
    left, freed_after_s = await back_to(base, stack)
    left_at_receiver = await stack.streams_of_receiver()
    metrics = await stack.client.metrics()
    exit_code = await stack.daemon.end()
    return Run(
        viewers=arguments.viewers,
        by_hls=arguments.hls,
        lasted_s=lasted_s,
        tally=tally,
        troubles=troubles,
        samples=samples,
        memory=memory,
        pauses=pauses,
        sharing=sharing,
        base=base,
        left=left,
        freed_after_s=freed_after_s,
        left_at_receiver=left_at_receiver,
        ended=outcomes(metrics),
        exit_code=exit_code,
        log=read_log(stack.daemon.log.file),
        longest_hold_s=metrics.get("xg2g_event_loop_longest_hold_seconds", 0.0),
    )


async def _warm_up(stack: LoadStack, network: Network, channels: Sequence[Channel]) -> None:
    """Watch and read for a while, many at once."""

    async def watch(channel: Channel) -> None:
        async with Connection(network, device) as connection:
            await connection.ask(channel.paths[0])
            await connection.drain(WARM_UP_S)

    device = await network.new_device()
    watching = (watch(channels[n % len(channels)]) for n in range(WARM_UP))
    reading = (stack.client.get("/xmltv.xml") for _ in range(WARM_UP))
    await asyncio.gather(*watching, *reading)


async def _base(stack: LoadStack) -> Held:
    """Count what is held without viewers. Exits when a viewer that left is held for ever."""
    try:
        async with asyncio.timeout(FREED_S):
            while (now := await held(stack)).tuners or now.remuxers:  # noqa: ASYNC110
                await asyncio.sleep(1)
    except TimeoutError:
        raise SystemExit(f"load: already the first viewers were held for ever: {now}") from None
    await asyncio.sleep(5)
    return await held(stack)


async def load(arguments: argparse.Namespace, folder: Path) -> Run:
    # On SIGTERM, too, everything that was started ends.
    if task := asyncio.current_task():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with (
        Network() as network,
        LoadStack(folder, external=arguments.external) as stack,
    ):
        return await run(stack, network, arguments)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--viewers", type=int, default=30)
    parser.add_argument("--hls", type=int, default=6, help="viewers by HLS beside them")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", default="1", help="another one is another half hour")
    parser.add_argument("--external", action="store_true", help="convert in a service beside")
    parser.add_argument("--folder", type=Path, help="keep logs and data here")
    arguments = parser.parse_args()
    move_in("tests.load.load_test")
    console = Console(width=110, highlight=False)
    with TemporaryDirectory(prefix="xg2g-load-") as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = asyncio.run(load(arguments, folder))
    report(console, found)
    if wrong := failures(found):
        for line, times in Counter(wrong).most_common(40):
            console.print(f"  failed: {line} ({times} times)", markup=False)
        raise SystemExit(f"load: {len(wrong)} failures")


if __name__ == "__main__":
    main()
