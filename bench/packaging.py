"""Packaging a converted stream for HLS, as the daemon does; a process of its own.

    python -m bench.packaging INPUT

Prints the CPU seconds of a few passes as JSON: packager, window, and both media playlists written
anew for each change, as for players with low latency.
"""

import json
import sys
from pathlib import Path
from typing import Final

from bench.stream import own_cpu_s
from xg2g.outputs.hls.media_playlist import media
from xg2g.outputs.hls.options import HlsOptions, Targets
from xg2g.outputs.hls.presentation import Presentation
from xg2g.outputs.hls.storage import MemoryStorage
from xg2g_backends.packaging import Packager

PASSES: Final = 5
CHUNK_BYTES: Final = 128 * 1024
"""What a channel of 10 Mbit/s brings in a tenth of a second."""
LEAST_PARTS: Final = 100


def package(source: bytes) -> float:
    """Package a stream; return the CPU time in seconds."""
    began_s = own_cpu_s()
    options = HlsOptions()
    targets = Targets.of(options.target_s, options.part_s)
    presentation = Presentation(
        MemoryStorage(), targets=targets, window_s=options.window_s, run="0"
    )
    settings = {
        "segment_ms": targets.segment_ms,
        "part_ms": targets.part_ms,
        "longest_ms": targets.longest_ms,
    }
    written = 0
    with Packager(**settings) as packager:
        for at in range(0, len(source), CHUNK_BYTES):
            before = presentation.revision
            for event in packager.process(source[at : at + CHUNK_BYTES]):
                presentation.take(event)
            if presentation.is_ready and presentation.revision != before:
                for name in presentation.renditions:
                    written += bool(media(presentation, name))
    if written < LEAST_PARTS:
        raise RuntimeError(f"{written} playlists were written: this is no stream to measure with")
    return own_cpu_s() - began_s


def main() -> None:
    source = Path(sys.argv[1]).read_bytes()
    sys.stdout.write(json.dumps([package(source) for _ in range(PASSES)]))


if __name__ == "__main__":
    main()
