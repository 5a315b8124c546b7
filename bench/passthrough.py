"""A stream of which nothing is converted, through the embedded backend; a process of its own.

    python -m bench.passthrough INPUT OUTPUT

Writes the output once, then measures in memory, and prints the rate in bit/s of CPU time as JSON.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from bench.stream import CHUNK_BYTES, own_cpu_s
from xg2g_backends.base import RemuxOptions
from xg2g_backends.embedded.backend import EmbeddedBackend

PASSES: Final = 5


async def passes(source: bytes) -> tuple[bytes, list[float]]:
    """Pass the stream several times; return its output and the rates in bit/s. The output is of
    a pass that is not timed; every other has to give as many bytes."""
    chunks = [source[at : at + CHUNK_BYTES] for at in range(0, len(source), CHUNK_BYTES)]
    backend = EmbeddedBackend()
    async with await backend.open(RemuxOptions()) as remuxer:
        written = [(await remuxer.process(chunk)).data for chunk in chunks]
        output = b"".join([*written, (await remuxer.finish()).data])
    rates = []
    for _ in range(PASSES):
        began_s, length = own_cpu_s(), 0
        async with await backend.open(RemuxOptions()) as remuxer:
            for chunk in chunks:
                length += len((await remuxer.process(chunk)).data)
            length += len((await remuxer.finish()).data)
        rates.append(len(source) * 8 / (own_cpu_s() - began_s))
        if length != len(output):
            raise RuntimeError("the same stream has left with another length")
    await backend.aclose()
    return output, rates


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    output, rates = asyncio.run(passes(source.read_bytes()))
    target.write_bytes(output)
    sys.stdout.write(json.dumps(rates))


if __name__ == "__main__":
    main()
