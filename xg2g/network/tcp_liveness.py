"""What TCP knows of a viewer: paused, or vanished.

A paused player takes nothing: its window is zero, and it acknowledges every window probe. One that
vanished acknowledges nothing. Only TCP can tell them apart; the application sees a full buffer in
both cases.
"""

import contextlib
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Self

SILENCE_S = 4.0
"""Time without any acknowledgement while one is owed, after which a viewer has vanished. With a
retransmission or a probe each second (`prepare`), at least three in a row were lost by then."""

UNANSWERED_PROBES = 2
"""Window probes of which none was answered. A single one is lost now and then on a radio link."""

PROBED_WITHIN_S = 4.0
"""On kernels that have to be hastened: between two probes, and how long the daemon may be held
without a paused player being lost."""

UNSENT_BYTES = 256 * 1024
"""What the kernel takes for a viewer beyond what their window takes. Without this limit a paused
player holds up to `tcp_wmem`'s 4 MiB of the kernel's memory, and gets as much of the past when it
goes on."""

_TRIED_AGAIN_AFTER_MS = 1000
_TCP_RTO_MAX_MS = 44
"""Linux 6.15, include/uapi/linux/tcp.h. Without it the kernel doubles the time between two probes
up to two minutes."""
_DARWIN_RXT_CONNDROPTIME = 0x80
"""XNU, bsd/netinet/tcp.h: seconds of unanswered retransmissions, then the connection ends."""

_TCP_INFO: int | None = socket.TCP_INFO if sys.platform == "linux" else None
_HEAD = struct.Struct("=3xBB19xI28xI")
"""`tcpi_probes`, `tcpi_backoff`, `tcpi_unacked` and `tcpi_last_ack_recv` of Linux's
`struct tcp_info` (include/uapi/linux/tcp.h). It only ever grows at its end."""


def prepare(connection: socket.socket) -> bool:
    """Have the kernel try again often enough that silence is told from a long pause between two
    attempts. Return False if `ProbeHaste` has to see to that."""
    try:
        if sys.platform == "linux":
            connection.setsockopt(socket.IPPROTO_TCP, _TCP_RTO_MAX_MS, _TRIED_AGAIN_AFTER_MS)
        elif sys.platform == "darwin":
            connection.setsockopt(socket.IPPROTO_TCP, _DARWIN_RXT_CONNDROPTIME, int(SILENCE_S))
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """What the kernel says of a connection."""

    unacknowledged: int
    """Segments sent and not acknowledged."""
    unanswered_probes: int
    """Window probes since the latest acknowledgement."""
    silent_s: float
    """Since the latest acknowledgement of any kind, an answer to a probe included."""
    is_backing_off: bool = False
    """Something is tried again and again, each time after a longer while."""

    @classmethod
    def of(cls, connection: socket.socket) -> Self | None:
        """Return what the kernel says, or None where it says nothing."""
        if _TCP_INFO is None:
            return None
        try:
            info = connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _HEAD.size)
        except OSError:
            return None
        if len(info) < _HEAD.size:
            return None
        probes, backoff, unacknowledged, last_ack_ms = _HEAD.unpack(info)
        return cls(unacknowledged, probes, last_ack_ms / 1000, backoff > 0)


@dataclass(slots=True)
class Acknowledgements:
    """Judges one connection by what is read of it now and then."""

    _owed_since_s: float | None = None

    def have_ceased(self, info: TcpInfo, now_s: float) -> bool:
        """Return True if the peer has vanished: it owes an acknowledgement for `SILENCE_S`."""
        if not info.unacknowledged:
            self._owed_since_s = None
            return info.unanswered_probes >= UNANSWERED_PROBES and info.silent_s >= SILENCE_S
        if self._owed_since_s is None:
            # The latest acknowledgement may be old only because nothing was sent since.
            self._owed_since_s = now_s
        return min(info.silent_s, now_s - self._owed_since_s) >= SILENCE_S


class ProbeHaste:
    """Has a kernel without `TCP_RTO_MAX_MS` probe a closed window every few seconds.

    Linux ends a connection whose window has been closed for `TCP_USER_TIMEOUT`, answered probes or
    not, and therefore probes no later than that time (net/ipv4/tcp_timer.c,
    `tcp_clamp_probe0_to_user_timeout`). So the time is moved on, again and again, to a moment from
    now. It passes only if nobody looks for `PROBED_WITHIN_S`.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._since_s: float | None = None

    def go_on(self, info: TcpInfo, now_s: float) -> None:
        """Move the time on; to be called about twice a second."""
        if info.unacknowledged or not info.is_backing_off:
            if self._since_s is not None:
                self._since_s = None
                self._end_after(0)
            return
        if self._since_s is None:
            self._since_s = now_s
        self._end_after(now_s - self._since_s + PROBED_WITHIN_S)

    def _end_after(self, seconds: float) -> None:
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            with contextlib.suppress(OSError):
                self._connection.setsockopt(
                    socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000)
                )
