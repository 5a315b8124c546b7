"""Looks at some of what the viewers got, in a process beside."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from tests.oracle.transport import PACKET_BYTES, Packets
from tests.oracle.ts_checker import check, continuity_errors

if TYPE_CHECKING:
    from types import TracebackType

    from tests.load.load_test.troubles import Troubles

WAITING = 4
"""No more are kept; those beyond are let go unseen."""
LEAST_BYTES = 200_000


@dataclass(frozen=True)
class Findings:
    """Return the faults of one sample."""

    channel: str
    calm: bool
    """Nothing was wrong with the receiver meanwhile, nor with the channel."""
    wrong: list[str]


@dataclass
class Samples:
    """A context manager: it judges inside, and `findings` are complete afterwards."""

    troubles: Troubles
    faulty: frozenset[str]
    """Channels whose own stream is broken."""
    findings: list[Findings] = field(default_factory=list)
    unseen: int = 0
    _pending: set[Future[Findings]] = field(default_factory=set)

    def __enter__(self) -> Self:
        spawning = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, spawning, initializer=os.nice, initargs=(10,))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=exc is not None)
        self._collect()

    def take(self, channel: str, stream: bytes, begun_s: float) -> None:
        """Have a stream looked at, which began at that time of the monotonic clock."""
        self._collect()
        if len(self._pending) >= WAITING or len(stream) < LEAST_BYTES:
            self.unseen += 1
            return
        since_s = self.troubles.calm_since_s
        calm = since_s is not None and since_s < begun_s and channel not in self.faulty
        self._pending.add(self._pool.submit(_judge, channel, stream, calm))

    def _collect(self) -> None:
        done = {future for future in self._pending if future.done()}
        self._pending -= done
        self.findings += [future.result() for future in done]


def _judge(channel: str, stream: bytes, calm: bool) -> Findings:
    """Alignment always, and what a calm stream has to be on top of it."""
    packets = Packets(stream)
    wrong = []
    if packets.sync_losses or stream[0] != 0x47:
        wrong.append(f"{packets.sync_losses} losses of sync")
    if len(packets) < len(stream) // PACKET_BYTES:
        wrong.append(f"{len(stream) // PACKET_BYTES - len(packets)} packets lost to it")
    report = check(stream)
    if codecs := set(report.codecs.values()) - {"aac"}:
        wrong.append(f"sound in {sorted(codecs)}")
    if not report.codecs:
        wrong.append("no sound")
    if calm:
        breaks = sum(continuity_errors(packets, pid) for pid in packets.pids() if pid != 0x1FFF)
        wrong += [f"{breaks} breaks of continuity"] if breaks else []
        wrong += [f"{kind}: {n}" for kind in ("psi_crc", "tei") if (n := report.count(kind))]
    return Findings(channel, calm, wrong)
