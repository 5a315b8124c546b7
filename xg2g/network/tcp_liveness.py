"""Detection of vanished clients by TCP.

A paused player reads nothing: its window is zero, and it acknowledges every window probe. A
vanished one acknowledges nothing. Only TCP can tell them apart; the application sees a full buffer
in both cases.
"""

import contextlib
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Self

SILENCE_S = 4.0
"""Time without a due acknowledgement after which a client has vanished. With a retransmission or a
probe each second (`limit_retry_interval`), at least three in a row were lost by then."""

UNANSWERED_PROBES = 2
"""Unanswered window probes of a vanished client. A radio link loses a single one now and then."""

PROBED_WITHIN_S = 4.0
"""On kernels that need `WindowProbes`: the interval of probes, and how long the daemon may be
blocked without losing a paused player."""

UNSENT_BYTES = 256 * 1024
"""Maximum bytes that the kernel buffers beyond the client's window. Without this limit a paused
player holds up to `tcp_wmem`'s 4 MiB of kernel memory, and receives as much old output when it
resumes."""

_TRIED_AGAIN_AFTER_MS = 1000
_TCP_RTO_MAX_MS = 44
"""Linux 6.15, include/uapi/linux/tcp.h. Without it the kernel doubles the interval of probes, up to
two minutes."""
_DARWIN_RXT_CONNDROPTIME = 0x80
"""XNU, bsd/netinet/tcp.h: seconds of unanswered retransmissions, then the connection ends."""

_TCP_INFO: int | None = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
_HEAD = struct.Struct("=3xBB19xI28xI")
"""`tcpi_probes`, `tcpi_backoff`, `tcpi_unacked` and `tcpi_last_ack_recv` of Linux's
`struct tcp_info` (include/uapi/linux/tcp.h). Later kernels only append fields."""


def limit_retry_interval(connection: socket.socket) -> bool:
    """Make the kernel retry often enough that silence differs from a long interval between two
    attempts. Return False if `WindowProbes` is needed for that."""
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
    """The kernel's state of a connection."""

    unacknowledged: int
    """Segments sent and not acknowledged."""
    unanswered_probes: int
    """Window probes since the latest acknowledgement."""
    silent_s: float
    """Seconds since the last acknowledgement, including the answer to a probe."""
    is_backing_off: bool = False
    """True while the kernel retries at growing intervals."""

    @classmethod
    def of(cls, connection: socket.socket) -> Self | None:
        """Return the state, or None if the system does not provide it."""
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
    """Acknowledgements of one connection, checked from time to time."""

    _owed_since_s: float | None = None

    def have_ceased(self, info: TcpInfo, now_s: float) -> bool:
        """Return True if the peer has vanished: an acknowledgement is overdue for `SILENCE_S`."""
        if not info.unacknowledged:
            self._owed_since_s = None
            return info.unanswered_probes >= UNANSWERED_PROBES and info.silent_s >= SILENCE_S
        if self._owed_since_s is None:
            # The last acknowledgement may be old because nothing was sent since.
            self._owed_since_s = now_s
        return min(info.silent_s, now_s - self._owed_since_s) >= SILENCE_S


class WindowProbes:
    """Makes a kernel without `TCP_RTO_MAX_MS` probe a closed window every few seconds.

    Linux ends a connection whose window has been closed for `TCP_USER_TIMEOUT`, even if probes are
    answered, and therefore probes within that time (net/ipv4/tcp_timer.c,
    `tcp_clamp_probe0_to_user_timeout`). So the timeout is extended again and again. It expires only
    if `extend` is not called for `PROBED_WITHIN_S`.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._since_s: float | None = None

    def extend(self, info: TcpInfo, now_s: float) -> None:
        """Extend the timeout; call this about twice a second."""
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
