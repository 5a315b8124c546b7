"""Many viewers of few channels. Receiver, daemon and viewers are processes of their own.

`load`: how far each viewer is behind the broadcast, what it costs, and with --until-it-breaks more
and more viewers. `hls`: the same by HLS, with --cache through nginx. `join`: viewers come at random
moments to a channel that runs; what each gets is decoded by ffmpeg.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from bench.fanout import hls, join, load
from bench.fanout.clips import CLIPS, USUAL
from bench.fanout.stack import FanoutStack

Part = Callable[[FanoutStack], Awaitable[list[str]]]


async def _inside(stack: FanoutStack, part: Part) -> list[str]:
    async with stack:
        return await part(stack)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make fanout", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--external", action="store_true", help="convert in a service beside")
    parser.add_argument("--folder", type=Path, help="keep logs and data here")
    parts = parser.add_subparsers(dest="part", required=True)
    loading = parts.add_parser("load", help="lag and cost of many viewers")
    loading.add_argument("--viewers", type=int, default=100)
    loading.add_argument("--channels", type=int, default=10)
    loading.add_argument("--seconds", type=float, default=30)
    loading.add_argument("--until-it-breaks", action="store_true")
    by_hls = parts.add_parser("hls", help="cost of many viewers by HLS")
    by_hls.add_argument("--viewers", type=int, default=100)
    by_hls.add_argument("--channels", type=int, default=10)
    by_hls.add_argument("--seconds", type=float, default=30)
    by_hls.add_argument("--cache", action="store_true", help="nginx in front")
    joining = parts.add_parser("join", help="joins of a channel that runs")
    joining.add_argument("--joins", type=int, default=50)
    joining.add_argument("--clip", choices=[clip.name for clip in CLIPS], default=USUAL.name)
    joining.add_argument("--seed", default="1", help="of the moments")
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    console = Console(width=110, highlight=False)
    with TemporaryDirectory(prefix="xg2g-fanout-") as temporary:
        folder: Path = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.part == "load":
            stack = FanoutStack(folder, [USUAL], arguments.channels, external=arguments.external)

            async def part(stack: FanoutStack) -> list[str]:
                return await load.run(
                    stack,
                    console,
                    viewers=arguments.viewers,
                    channels=arguments.channels,
                    seconds=arguments.seconds,
                    until_it_breaks=arguments.until_it_breaks,
                )
        elif arguments.part == "hls":
            stack = FanoutStack(folder, [USUAL], arguments.channels, external=arguments.external)

            async def part(stack: FanoutStack) -> list[str]:
                return await hls.run(
                    stack,
                    console,
                    folder,
                    viewers=arguments.viewers,
                    channels=arguments.channels,
                    seconds=arguments.seconds,
                    cached=arguments.cache,
                )
        else:
            clip = next(clip for clip in CLIPS if clip.name == arguments.clip)
            stack = FanoutStack(folder, [clip], 1, external=arguments.external)

            async def part(stack: FanoutStack) -> list[str]:
                found = await join.run(stack, clip, arguments.joins, arguments.seed)
                found.report(console)
                return found.wrong()

        if wrong := asyncio.run(_inside(stack, part)):
            raise SystemExit("fanout: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
