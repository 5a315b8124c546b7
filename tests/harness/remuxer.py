"""Runs whole streams through the embedded backend."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from xg2g_backends.base import RemuxOptions
from xg2g_backends.embedded.backend import EmbeddedBackend

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xg2g_backends.base import RemuxStats, TrackStats

CHUNK_BYTES = 188 * 1000
DEFAULTS = RemuxOptions()


@dataclass(frozen=True)
class Remuxed:
    """What came out of a stream."""

    output: bytes = field(repr=False)
    live_bytes: int
    """How much of the output came before the end of the stream set free what was held."""
    stats: RemuxStats

    @property
    def live(self) -> bytes:
        """The part of the output that is paced by the stream."""
        return self.output[: self.live_bytes]

    def track(self, pid: int) -> TrackStats:
        """The counters of a source PID."""
        return next(track for track in self.stats.tracks if track.pid == pid)


@cache
def backend() -> EmbeddedBackend:
    """One backend for the whole test run."""
    return EmbeddedBackend()


async def remux_pieces(pieces: Iterable[bytes], options: RemuxOptions = DEFAULTS) -> Remuxed:
    """Puts a stream through in the given pieces."""
    async with await backend().open(options) as remuxer:
        parts = [(await remuxer.process(piece)).data for piece in pieces]
        live = b"".join(parts)
        output = live + (await remuxer.finish()).data
        return Remuxed(output, len(live), await remuxer.stats())


def chunks(stream: bytes, size: int = CHUNK_BYTES) -> Iterable[bytes]:
    """A stream in pieces of one size."""
    return (stream[at : at + size] for at in range(0, len(stream), size))


def remux(stream: bytes, options: RemuxOptions = DEFAULTS) -> Remuxed:
    """Puts a stream through."""
    return asyncio.run(remux_pieces(chunks(stream), options))
