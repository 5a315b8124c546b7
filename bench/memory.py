"""Many streams at once in one library; a process of its own, since it reads its resident set.

    python -m bench.memory INPUT

Prints as JSON how many bytes each stream after the first took.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from bench.clips import MULTIPLEX_BPS
from bench.stream import CHUNK_BYTES
from tests.harness.process import resident_bytes
from xg2g_backends.base import RemuxOptions
from xg2g_backends.embedded.backend import EmbeddedBackend

STREAMS: Final = 50
FED_S: Final = 4


async def bytes_per_stream(source: bytes) -> float:
    """Open streams and feed them side by side, all from the same bytes."""
    chunks = [source[at : at + CHUNK_BYTES] for at in range(0, len(source), CHUNK_BYTES)]
    backend = EmbeddedBackend()
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(await backend.open(RemuxOptions()))
        for chunk in chunks:
            await first.process(chunk)
        before = resident_bytes()
        remuxers = [
            await stack.enter_async_context(await backend.open(RemuxOptions()))
            for _ in range(STREAMS)
        ]
        for chunk in chunks:
            await asyncio.gather(*(remuxer.process(chunk) for remuxer in remuxers))
        grown = resident_bytes() - before
    await backend.aclose()
    return grown / STREAMS


def main() -> None:
    with Path(sys.argv[1]).open("rb") as reader:
        source = reader.read(FED_S * MULTIPLEX_BPS // 8)
    sys.stdout.write(json.dumps(asyncio.run(bytes_per_stream(source))))


if __name__ == "__main__":
    main()
