"""27 hours of stream time, unpaced, over two wraps of the time stamps.

A clip is looped with its stamps moved on, put through the embedded backend, and the
sound of output and source is compared at many places. Fails when the sound is ever
more than 1 ms off, or when memory grows.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from tests.harness.process import resident_bytes
from tests.oracle.audio_sync import Comparison, compare, decode_track
from tests.oracle.transport import PCR_MODULUS, Packets, pmts
from tests.oracle.ts_checker import check
from xg2g.simulator.loop import Loop
from xg2g_backends.base import RemuxOptions
from xg2g_backends.embedded.backend import EmbeddedBackend

ROOT = Path(__file__).resolve().parents[2]
SYNC_MS = 1.0
CORRELATION = 0.9
GROWTH_BYTES = 2 << 20
BEFORE_WRAP_S = 60.0
OBSERVED_ROUNDS = 2
WARM_UP = 0.05
"""Part of the run after which memory must have settled."""


@dataclass(frozen=True)
class Observation:
    """Some rounds of the loop, as they went in and came out; in files, so that what is
    looked at later is not in the memory that is measured."""

    label: str
    source: Path
    output: Path


def places(rounds: int, round_s: float) -> dict[int, str]:
    """The rounds to look at: start, ends of each sixth, and around both wraps."""
    wrap_s = PCR_MODULUS / 27e6
    found = {0: "start", rounds - OBSERVED_ROUNDS: "end"}
    for sixth in range(1, 6):
        found[rounds * sixth // 6] = f"{sixth}/6"
    for number in range(2):
        at = int((BEFORE_WRAP_S + number * wrap_s) / round_s)
        if at + 2 * OBSERVED_ROUNDS < rounds:
            found[at] = f"wrap {number + 1}"
            found[at + OBSERVED_ROUNDS] = f"after wrap {number + 1}"
    return found


async def soak(
    clip: bytes, hours: float, folder: Path
) -> tuple[list[Observation], list[int], float]:
    """Runs the loop; returns what was observed, memory by round, and the stream time in s."""
    pcr_pid = pmts(Packets(clip))[0].pcr_pid
    loop = Loop(clip, pcr_pid)
    count = len(clip) // 188
    rounds = round(hours * 3600 / loop.duration_s)
    shift_27m = PCR_MODULUS - loop.clock_at(0) - round(BEFORE_WRAP_S * 27e6)
    wanted = places(rounds, loop.duration_s)
    observations: list[Observation] = []
    memory: list[int] = []
    backend = EmbeddedBackend()
    async with await backend.open(RemuxOptions(tracks="first")) as remuxer:
        until = 0
        for number in range(rounds):
            source = loop.read(number * count, (number + 1) * count, shift_27m)
            output = (await remuxer.process(source)).data
            if number in wanted:
                until = number + OBSERVED_ROUNDS
                before, after = folder / f"{number}.in.ts", folder / f"{number}.out.ts"
                observations.append(Observation(wanted[number], before, after))
            if number < until:
                for path, data in ((before, source), (after, output)):
                    with path.open("ab") as file:
                        file.write(data)
            memory.append(resident_bytes())
        await remuxer.finish()
    await backend.aclose()
    return observations, memory, rounds * loop.duration_s


def first_track(stream: bytes) -> int:
    """PID of the first audio of the first PMT."""
    packets = Packets(stream)
    return next(s.pid for s in pmts(packets)[0].streams if decode_track(packets, s.pid))


def judge(source: bytes, output: bytes) -> Comparison:
    """How the rounds sound before and after."""
    pid = first_track(output)
    before, after = (decode_track(Packets(stream), pid) for stream in (source, output))
    if before is None or after is None or after.codec != "aac":
        raise SystemExit(f"soak: no converted sound on PID {pid}")
    return compare(before.decoded, after.decoded, (0, 0.25, 0.5, 0.75, 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clip", type=Path, default=ROOT / "xg2g/simulator/clips/four-radio.ts")
    parser.add_argument("--hours", type=float, default=27.0, help="stream time (default: 27)")
    arguments = parser.parse_args()
    console = Console(width=100)
    with TemporaryDirectory(prefix="xg2g-soak-") as folder:
        began_s = time.monotonic()
        observations, memory, stream_s = asyncio.run(
            soak(arguments.clip.read_bytes(), arguments.hours, Path(folder))
        )
        speed = stream_s / (time.monotonic() - began_s)
        table = Table(title=f"{stream_s / 3600:.1f} h of {arguments.clip.stem}, {speed:.0f} x")
        for heading in ("where", "sync error", "correlation", "longest gap", "new errors"):
            table.add_column(heading)
        failures: list[str] = []
        for observation in observations:
            source, output = observation.source.read_bytes(), observation.output.read_bytes()
            found = judge(source, output)
            worse = check(output).worse_than(check(source))
            table.add_row(
                observation.label,
                f"{found.offset_ms:.3f} ms",
                f"{found.correlation:.3f}",
                f"{found.longest_gap_s * 1000:.0f} ms",
                ", ".join(sorted(worse)) or "none",
            )
            if not found.offset_ms <= SYNC_MS or found.correlation < CORRELATION or worse:
                failures.append(observation.label)
    console.print(table)
    settled = memory[int(len(memory) * WARM_UP)]
    growth = memory[-1] - settled
    console.print(
        f"memory: {settled / 2**20:.1f} MiB settled, {memory[-1] / 2**20:.1f} MiB at the end, "
        f"{max(memory) / 2**20:.1f} MiB at most"
    )
    if growth > GROWTH_BYTES:
        failures.append(f"memory grew by {growth / 2**20:.1f} MiB")
    if failures:
        raise SystemExit("soak: failed: " + "; ".join(failures))


if __name__ == "__main__":
    main()
