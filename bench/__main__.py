"""Measures and reports: `make bench`, or `python -m bench [--json FILE]`.

Runs of xg2g and ffmpeg alternate, and medians are shown. A budget that is missed is shown, not an
error; output that is wrong is one, and then nothing is reported.
"""

import argparse
import asyncio
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from rich.console import Console

from bench import clips, first_byte, live, ways
from bench.clips import CODECS, Codec
from bench.process import Run, run
from bench.progress import Steps
from bench.published import PAGE, REPORT, published
from bench.report import Conditions, Figure, Judged, as_json, show, show_ways
from bench.sound import WrongOutputError, check_sound, check_unchanged

RUNS: Final = 5
FIRST_BYTE_RUNS: Final = 3
LOG_COLUMNS: Final = 110
PROBING_LEAST: Final = ("-probesize", "500000", "-analyzeduration", "500000")
XG2G: Final = Path(sys.executable).with_name("xg2g")
TO_HLS: Final = (
    # ffmpeg 5 does not put the filter in by itself, as later ones do.
    *("-c", "copy", "-bsf:a", "aac_adtstoasc"),
    *("-f", "hls", "-hls_segment_type", "fmp4", "-hls_time", "2"),
    *("-hls_list_size", "150", "-hls_flags", "delete_segments+independent_segments"),
)
TO_AAC: Final = ("-c:v", "copy", "-c:a", "aac", "-b:a", "192k", "-ac", "2", "-f", "mpegts")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure against ffmpeg.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run's figures, too")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--ways", action="store_true", help="compare the backends alone")
    only.add_argument("--live", action="store_true", help="measure viewers of live channels alone")
    only.add_argument(
        "--publish", action="store_true", help="keep the report, and its figures in README.md"
    )
    arguments = parser.parse_args()
    target: Path | None = arguments.json
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = LOG_COLUMNS
    load_before = os.getloadavg()
    try:
        with tempfile.TemporaryDirectory() as folder, Steps(console) as steps:
            ways_figures = []
            if not arguments.live:
                ways_figures = ways.figures(_first_clip(steps), Path(folder), steps)
            figures = list[Figure]()
            if not arguments.live and not arguments.ways:
                figures += _figures(Path(folder), steps)
            if not arguments.ways:
                figures += asyncio.run(live.figures(Path(folder), steps))
    except (WrongOutputError, live.BrokenError) as error:
        sys.exit(f"bench: no report, since the output is wrong: {error}")
    conditions = Conditions(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        ffmpeg=_ffmpeg_version(),
        xg2g=version("xg2g"),
        cores=len(os.sched_getaffinity(0)),
        load_before=load_before,
        load_after=os.getloadavg(),
    )
    if figures:
        show(console, figures, conditions)
    if ways_figures:
        show_ways(console, ways.NAMES, ways_figures)
    report = as_json(figures, conditions)
    report["ways"] = [figure.as_json() for figure in ways_figures]
    if target is not None:
        target.write_text(json.dumps(report, indent=1) + "\n")
    if arguments.publish:
        PAGE.write_text(published(PAGE.read_text(), report))
        REPORT.write_text(json.dumps(report, indent=1) + "\n")


def _first_clip(steps: Steps) -> Path:
    steps.begin("clips" if clips.are_cached() else "clips, which takes a minute the first time")
    return next(clips.clips())[1]


def _figures(folder: Path, steps: Steps) -> Iterator[Figure]:
    steps.begin("clips" if clips.are_cached() else "clips, which takes a minute the first time")
    sources = list(clips.clips())
    converted = folder / "converted.ts"
    for codec, clip in sources:
        yield from _stream(codec, clip, converted, steps)
    yield _passthrough(converted, folder / "passed.ts", steps)
    yield _packaging(converted, folder / "hls", steps)
    yield from _start(steps)
    yield from asyncio.run(_first_bytes(sources[0][1], steps))


def _stream(codec: Codec, clip: Path, converted: Path, steps: Steps) -> Iterator[Figure]:
    """Measure CPU, speed, chunk times and memory of a codec. Leaves its output in `converted`."""
    theirs, command = converted.with_name("ffmpeg.ts"), converted.with_name("command.ts")
    ffmpeg_runs: list[Run] = []
    command_runs: list[Run] = []
    costs = []
    digests = set()
    for number in range(RUNS):
        steps.begin(f"{codec.name}: run {number + 1} of {RUNS}")
        ffmpeg_runs.append(run(("ffmpeg", "-v", "error", "-y", "-i", clip, *TO_AAC, theirs)))
        costs.append(json.loads(_module("stream", clip, converted)))
        command_runs.append(run((XG2G, "remux", "--force", clip, command)))
        digests |= {_digest(converted), _digest(command)}
    steps.begin(f"{codec.name}: is the sound right?")
    if len(digests) != 1:
        raise WrongOutputError(f"{codec.name}: runs have given different outputs")
    try:
        check_sound(clip, converted, codec.least_correlation)
    except WrongOutputError as error:
        raise WrongOutputError(f"{codec.name}: {error}") from None
    steps.begin(f"{codec.name}: memory of many streams")
    memory_bytes = float(json.loads(_module("memory", clip)))
    yield from _stream_figures(codec, costs, ffmpeg_runs, command_runs, memory_bytes)


def _stream_figures(
    codec: Codec,
    costs: list[dict[str, Any]],
    ffmpeg_runs: list[Run],
    command_runs: list[Run],
    memory_bytes: float,
) -> Iterator[Figure]:
    """Yield what all runs of a codec cost. `costs` are the prints of `bench.stream`."""
    cpu_s = [cost["cpu_s"] for cost in costs]
    chunk_ms = [chunk_s * 1000 for cost in costs for chunk_s in cost["chunk_s"]]
    ffmpeg_cpu_s = [run.cpu_s for run in ffmpeg_runs]
    command_cpu_s = [run.cpu_s for run in command_runs]
    yield Figure(
        stream=codec.name,
        what="CPU of a minute, in a running process",
        unit="s",
        xg2g=median(cpu_s),
        ffmpeg=median(ffmpeg_cpu_s),
        budget=codec.budget,
        judged=Judged.OF_FFMPEG,
        xg2g_runs=cpu_s,
        ffmpeg_runs=ffmpeg_cpu_s,
    )
    yield Figure(
        stream=codec.name,
        what="CPU of a minute, xg2g remux",
        unit="s",
        xg2g=median(command_cpu_s),
        ffmpeg=median(ffmpeg_cpu_s),
        budget=0.5 if codec is CODECS[0] else None,
        xg2g_runs=command_cpu_s,
        ffmpeg_runs=ffmpeg_cpu_s,
    )
    yield Figure(
        stream=codec.name,
        what="times real time on one core",
        unit="x",
        xg2g=clips.DURATION_S / median(cpu_s),
        ffmpeg=clips.DURATION_S / median(ffmpeg_cpu_s),
        budget=100,
        judged=Judged.AT_LEAST,
    )
    yield Figure(
        stream=codec.name,
        what="chunk of 188 KiB, median",
        unit="ms",
        xg2g=median(chunk_ms),
        budget=0.75,
    )
    yield Figure(
        stream=codec.name,
        what="chunk of 188 KiB, p99",
        unit="ms",
        xg2g=quantiles(chunk_ms, n=100)[98],
    )
    yield Figure(
        stream=codec.name,
        what="memory of one more stream",
        unit="MB",
        xg2g=memory_bytes / 1e6,
        ffmpeg=median(run.peak_rss_bytes for run in ffmpeg_runs) / 1e6,
        budget=1,
    )


def _passthrough(source: Path, passed: Path, steps: Steps) -> Figure:
    steps.begin("nothing to convert")
    rates = [rate / 1e9 for rate in json.loads(_module("passthrough", source, passed))]
    check_unchanged(source, passed)
    return Figure(
        stream="AAC",
        what="nothing converted, on one core",
        unit="Gbit/s",
        xg2g=median(rates),
        budget=35,
        judged=Judged.AT_LEAST,
        xg2g_runs=rates,
    )


def _packaging(source: Path, target: Path, steps: Steps) -> Figure:
    """Measure what a channel by HLS costs beyond its stream."""
    steps.begin("packaging for HLS")
    target.mkdir()
    percent = 100 / clips.DURATION_S
    ours = [cpu_s * percent for cpu_s in json.loads(_module("packaging", source))]
    command = ("ffmpeg", "-v", "error", "-y", "-i", source, *TO_HLS, target / "index.m3u8")
    theirs = [run(command).cpu_s * percent for _ in range(RUNS)]
    return Figure(
        stream="10 Mbit/s",
        what="packaging for HLS, of a core; ffmpeg's muxer, copying",
        unit="%",
        xg2g=median(ours),
        ffmpeg=median(theirs),
        budget=0.3,
        xg2g_runs=ours,
        ffmpeg_runs=theirs,
    )


def _start(steps: Steps) -> Iterator[Figure]:
    steps.begin("start of the command")
    runs = [run((XG2G, "--version")).cpu_s for _ in range(RUNS)]
    yield Figure(
        stream="none",
        what="CPU of xg2g --version",
        unit="s",
        xg2g=median(runs),
        budget=0.15,
        xg2g_runs=runs,
    )


async def _first_bytes(clip: Path, steps: Steps) -> list[Figure]:
    ours, defaults, short = list[float](), list[float](), list[float]()
    broadcast = first_byte.Broadcast(clip)
    async with broadcast.listening(), first_byte.daemon(broadcast) as url:
        for number in range(FIRST_BYTE_RUNS):
            steps.begin(f"first byte: run {number + 1} of {FIRST_BYTE_RUNS}")
            ours.append(await first_byte.xg2g_first_byte_s(broadcast, url) * 1000)
            defaults.append(await first_byte.ffmpeg_first_byte_s(broadcast) * 1000)
            short.append(await first_byte.ffmpeg_first_byte_s(broadcast, *PROBING_LEAST) * 1000)
    return [
        Figure(
            stream="MP2, live",
            what=f"first byte after the random access point; ffmpeg {name}",
            unit="ms",
            xg2g=median(ours),
            ffmpeg=median(theirs),
            budget=100,
            xg2g_runs=ours,
            ffmpeg_runs=theirs,
        )
        for name, theirs in (("at its defaults", defaults), ("probing least", short))
    ]


def _module(name: str, *arguments: Path) -> bytes:
    return run((sys.executable, "-m", f"bench.{name}", *arguments)).stdout


def _digest(path: Path) -> str:
    with path.open("rb") as reader:
        return hashlib.file_digest(reader, "sha256").hexdigest()


def _ffmpeg_version() -> str:
    output = subprocess.run(("ffmpeg", "-version"), check=True, stdout=subprocess.PIPE).stdout
    return output.decode().split()[2]


if __name__ == "__main__":
    main()
