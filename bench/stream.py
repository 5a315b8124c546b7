"""One stream through the embedded backend, from file to file; run as a process of its own.

    python -m bench.stream INPUT OUTPUT

Prints as JSON what the stream used in a process that already runs, as the daemon's does: its CPU
time with reading and writing, and how long each chunk took.
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from xg2g_backends.base import RemuxOptions
from xg2g_backends.embedded.backend import EmbeddedBackend

CHUNK_BYTES: Final = 188 * 1024


@dataclass
class Cost:
    """What a stream used."""

    cpu_s: float = 0.0
    chunk_s: list[float] = field(default_factory=list)
    """From handing a chunk over to having its output in hand, for each chunk."""


def own_cpu_s() -> float:
    """User and system time of this process with its threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def convert(source: BinaryIO, target: BinaryIO) -> Cost:
    """Convert a stream in chunks, one after the other."""
    backend = EmbeddedBackend()
    await backend.check()
    cost = Cost()
    began_s = own_cpu_s()
    async with await backend.open(RemuxOptions()) as remuxer:
        while chunk := source.read(CHUNK_BYTES):
            before_s = time.perf_counter()
            output = (await remuxer.process(chunk)).data
            cost.chunk_s.append(time.perf_counter() - before_s)
            target.write(output)
        target.write((await remuxer.finish()).data)
    cost.cpu_s = own_cpu_s() - began_s
    await backend.aclose()
    return cost


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    with source.open("rb", buffering=0) as reader, target.open("wb", buffering=0) as writer:
        cost = asyncio.run(convert(reader, writer))
    sys.stdout.write(json.dumps(asdict(cost)))


if __name__ == "__main__":
    main()
