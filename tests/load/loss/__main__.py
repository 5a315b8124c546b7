"""What a lost packet costs, beside ffmpeg: `make loss`.

Packets of the sound are taken out of clean streams. How much of the sound is then missing is judged
against the same stream without the loss, decoded in the same way: ffmpeg decodes the damaged stream
itself, and what the remuxer made of it. With --captures packets are taken out of those as well, and
a second table follows: silence and decode errors over whole captures, as they are.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

import av
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.harness.remuxer import remux
from tests.load.loss.streams import Stream, captured, made
from tests.oracle.hearing import Heard, hear, missing_ms

HOLES_MS = 1.0
CUT_ENDS = 1
"""With more holes or more decode errors than the cut at its end a stream is not clean: nothing is
taken out of it."""


@dataclass(frozen=True)
class Loss:
    """Sound missing in ms after the loss of packets, over all tries."""

    stream: str
    pid: int
    tries: int
    xg2g_median_ms: float
    xg2g_max_ms: float
    ffmpeg_median_ms: float
    ffmpeg_max_ms: float


@dataclass(frozen=True)
class Whole:
    """A capture as it is: the source decoded by ffmpeg, and the remuxer's output."""

    stream: str
    pid: int
    codec: str
    source_holes_ms: float
    source_errors: int
    silence_ms: float
    """Silence that the remuxer put in, and time that its output does not cover."""
    decode_errors: int
    output_errors: int
    """Complaints of ffmpeg about the output."""


def measure_loss(stream: Stream, tries: int, packets: int) -> Loss | None:
    """Lose packets of one stream. None where the sound is not converted or cannot be judged."""
    reference = _heard(stream.data, stream.pid)
    ours = _heard(remux(stream.data).output, stream.pid)
    if reference is None or ours is None:
        return None
    if reference.errors > CUT_ENDS or reference.holes_ms > HOLES_MS:
        return None
    here, there = [], []
    for damaged in stream.with_loss(tries, packets):
        here.append(missing_ms(ours, _heard(remux(damaged).output, stream.pid)))
        there.append(missing_ms(reference, _heard(damaged, stream.pid)))
    if not here:
        return None
    return Loss(
        stream.name,
        stream.pid,
        len(here),
        statistics.median(here),
        max(here),
        statistics.median(there),
        max(there),
    )


def measure_whole(stream: Stream) -> Whole | None:
    """Look at one PID of a capture. None where it is not converted."""
    remuxed = remux(stream.data)
    counted = [t for t in remuxed.stats.tracks if t.pid == stream.pid and t.state == "converting"]
    if not counted:
        return None
    source, output = _heard(stream.data, stream.pid), _heard(remuxed.output, stream.pid)
    return Whole(
        stream.name,
        stream.pid,
        counted[0].codec or "",
        source.holes_ms if source else 0.0,
        source.errors if source else 0,
        sum(t.silence_ms for t in counted) + (output.holes_ms if output else 0.0),
        sum(t.decode_errors for t in counted),
        output.errors if output else 0,
    )


def _heard(data: bytes, pid: int) -> Heard | None:
    try:
        return hear(data, pid)
    except av.FFmpegError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(prog="make loss", description=__doc__)
    parser.add_argument("--tries", type=int, default=12, help="losses for each stream (default 12)")
    parser.add_argument("--packets", type=int, default=1, help="packets lost in a row (default 1)")
    parser.add_argument("--captures", type=Path, help="folder of captures to look at as well")
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    av.logging.set_level(None)
    console = Console()
    losses = []
    streams = list(track(made(), "making streams", console=console, total=None))
    for stream in track(streams, "losing packets", console=console):
        losses.append(measure_loss(stream, arguments.tries, arguments.packets))
    wholes = []
    if arguments.captures:
        found = list(captured(arguments.captures))
        for stream in track(found, "captures", console=console):
            whole = measure_whole(stream)
            wholes.append(whole)
            if whole:
                losses.append(measure_loss(stream, arguments.tries, arguments.packets))
    rows = [loss for loss in losses if loss]
    looked_at = [whole for whole in wholes if whole]
    show(console, rows, looked_at, arguments.packets)
    if arguments.json:
        report = {"losses": [asdict(x) for x in rows], "captures": [asdict(x) for x in looked_at]}
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


def show(console: Console, losses: list[Loss], wholes: list[Whole], packets: int) -> None:
    """Print the tables."""
    table = Table(title=f"sound missing after a loss of {packets} packet(s), ms: median / maximum")
    for heading in ("stream", "PID", "tries", "xg2g", "ffmpeg"):
        table.add_column(heading, justify="left" if heading == "stream" else "right", no_wrap=True)
    for loss in losses:
        ours = f"{loss.xg2g_median_ms:.0f} / {loss.xg2g_max_ms:.0f}"
        theirs = f"{loss.ffmpeg_median_ms:.0f} / {loss.ffmpeg_max_ms:.0f}"
        table.add_row(loss.stream, str(loss.pid), str(loss.tries), ours, theirs)
    console.print(table)
    if not wholes:
        return
    table = Table(title="captures as they are: holes in ms / decode errors")
    for heading in ("capture", "PID", "codec", "ffmpeg, source", "xg2g", "ffmpeg, output"):
        table.add_column(heading, no_wrap=True)
    for whole in wholes:
        table.add_row(
            whole.stream,
            str(whole.pid),
            whole.codec,
            f"{whole.source_holes_ms:.0f} / {whole.source_errors}",
            f"{whole.silence_ms:.0f} / {whole.decode_errors}",
            str(whole.output_errors),
        )
    console.print(table)


if __name__ == "__main__":
    main()
