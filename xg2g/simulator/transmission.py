"""Sends a service to one viewer at the pace of its clock, with its faults."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

import structlog

from xg2g.simulator.feed import Feed
from xg2g.simulator.service import Answer, Conditions
from xg2g.simulator.transport import PACKET_SIZE

if TYPE_CHECKING:
    from xg2g.simulator.air import Air
    from xg2g.simulator.service import Service

# The box reads its demultiplexer in pieces of at most 1024 packets and sends each in one write.
MAX_BURST_BYTES = 1024 * PACKET_SIZE
# At least 8 such buffers wait for a slow reader; after that writes are cancelled.
RING_BYTES = 8 * MAX_BURST_BYTES
# The part of its last packet that a cancelled write has sent.
_CUT_PACKET_BYTES = 100

_log = structlog.get_logger(__name__)


async def transmit(
    service: Service, air: Air, writer: asyncio.StreamWriter, *, cleared: bool = False
) -> None:
    """Send until the conditions end it, the caller cancels it or the connection breaks.

    The caller has written the response's header, and refuses services. It closes the connection,
    unless the conditions reset it.
    """
    conditions = service.conditions
    match conditions.answer:
        case Answer.EMPTY:
            await air.wait(conditions.first_byte_s)
        case Answer.SILENT:
            await asyncio.Future()
        case Answer.STREAM:
            await air.wait(conditions.first_byte_s)
            loop = service.relayed if cleared and service.relayed else service.loop
            feed = Feed(service, conditions, air.position_s(), air.utc, loop)
            await _stream(feed, conditions, air, _Ring(writer, waits=air.speed is None))


async def _stream(feed: Feed, conditions: Conditions, air: Air, ring: _Ring) -> None:
    start_s = position_s = air.position_s()
    bursts = 0
    while True:
        if not air.flowing.is_set():
            await air.flowing.wait()
            # The broadcast of the meantime is lost.
            feed.skip_to(air.position_s())
        position_s = air.next_position_s(position_s)
        elapsed_s = position_s - start_s
        if conditions.stall_after_s is not None and elapsed_s >= conditions.stall_after_s:
            await asyncio.Future()
        if conditions.end_after_s is not None and elapsed_s >= conditions.end_after_s:
            if conditions.reset:
                ring.reset()
            return
        data = feed.read_until(position_s)
        bursts += 1
        if conditions.cut_every_bursts and bursts % conditions.cut_every_bursts == 0:
            data = data[: len(data) // 2 // PACKET_SIZE * PACKET_SIZE + _CUT_PACKET_BYTES]
        for at in range(0, len(data), MAX_BURST_BYTES):
            await ring.send(data[at : at + MAX_BURST_BYTES])
        await air.wait(air.burst_s)


class _Ring:
    """The box's buffers between demultiplexer and socket: a slow reader loses bursts."""

    def __init__(self, writer: asyncio.StreamWriter, waits: bool) -> None:
        self._writer = writer
        self._waits = waits
        self._overflowing = False

    async def send(self, burst: bytes) -> None:
        if self._writer.is_closing():
            raise ConnectionResetError
        if self._waits:
            self._writer.write(burst)
            await self._writer.drain()
            return
        waiting = self._writer.transport.get_write_buffer_size()
        overflowing = waiting + len(burst) > RING_BYTES
        if not overflowing:
            self._writer.write(burst)
        elif not self._overflowing:
            _log.info("simulator.reader_too_slow", waiting_bytes=waiting)
            self._writer.write(burst[:_CUT_PACKET_BYTES])
        self._overflowing = overflowing

    def reset(self) -> None:
        """Close with a TCP reset."""
        linger = struct.pack("ii", 1, 0)
        peer: socket.socket = self._writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()
