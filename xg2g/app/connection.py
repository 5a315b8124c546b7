"""One connection of a client, within limits of time and number."""

import asyncio
import contextlib
import math
import socket
import struct
from collections import Counter
from typing import Any

import h11
import structlog
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..network.hosts import client_network, is_loopback
from ..network.http_bodies import TruncatedError
from ..network.log_limit import LogLimit
from ..network.tcp_liveness import Acknowledgements, ProbeHaste, TcpInfo, prepare
from . import open_files

log = structlog.get_logger()

REQUEST_DEADLINE_S = 10
"""From the connection, or the first byte of a further request, to the end of its head."""

CONNECTION_LIMIT = 512
"""Connections at once; each holds a few buffers of 64 KiB, and a home has a dozen."""

ADDRESS_LIMIT = 128
"""Of these, from one address (with IPv6, from one /64). One more, and the one among them that can
best be spared is closed, so that nobody keeps others out."""

PROXY_LIMIT = 384
"""The same for addresses behind which there may be a whole household: loopback, and everywhere
behind a reverse proxy."""

WAITING_LIMIT = 128
"""Of all, such as have brought no request yet, or have had their answer. One more, and the one
that has waited longest is closed: who opens hundreds and says nothing keeps nobody out."""

STALLED_S = 1.0
"""A viewer who has taken nothing for so long can be spared, where somebody has to be."""

CLOSING_S = 10.0
"""How long the other side may take nothing of what is left for them of a connection that ends."""

TAKING_S = 30.0
"""How long a client may take nothing of an answer that waits for them as a whole: a segment of HLS
has megabytes."""


class BoundedProtocol(H11Protocol):
    """A connection that has to bring its request in time, that may half-close, and that is closed
    when too many others need its place."""

    _shared_limit = ADDRESS_LIMIT
    _deadline: asyncio.TimerHandle | None = None
    _stalled_since_s: float | None = None
    """Since when nothing was taken of what is buffered; None where little is."""
    _buffered_bytes = 0
    _closing_since_s: float | None = None
    _place = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.client = _plain(transport.get_extra_info("peername"))
        self.server = _plain(transport.get_extra_info("sockname"))
        self._place = client_network(self.client[0]) if self.client else ""
        self._application, self.app = self.app, self._answer
        self._watch()
        self._socket = transport.get_extra_info("socket")
        self._acknowledgements = Acknowledgements()
        self._haste = None if prepare(self._socket) else ProbeHaste(self._socket)
        files_left = open_files.left(self._socket.fileno())
        if files_left <= 0:
            _log_files()
            self._application = _unavailable
        if files_left <= 0 or len(self.connections) > min(WAITING_LIMIT, ADDRESS_LIMIT):
            self._make_room(scarce=files_left <= 0)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def eof_received(self) -> None:
        # asyncio closes the transport now, but only once what is buffered has left, and for a
        # viewer who takes nothing any more that is never. Whoever hangs up has left.
        if self._responding():
            self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled_since_s = self.loop.time()
        self._buffered_bytes = self.transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled_since_s = None
        # An answer that was buffered as a whole has left: from now on the connection waits.
        self._watch()

    def timeout_keep_alive_handler(self) -> None:
        if self._stalled_since_s is None:
            super().timeout_keep_alive_handler()
        else:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def end_if_vanished(self) -> None:
        """End the connection at once if the other side acknowledges nothing any more, or takes
        nothing of a whole answer or of the rest of a connection that is closing."""
        now_s = self.loop.time()
        self._see_what_is_taken(now_s)
        info = TcpInfo.of(self._socket)
        if info is not None and self._haste is not None:
            self._haste.go_on(info, now_s)
        if info is not None and self._acknowledgements.have_ceased(info, now_s):
            log.info("viewer vanished", viewer=self.client and self.client[0])
            self._reset()
        elif self.transport.is_closing():
            self._closing_since_s = self._closing_since_s or now_s
            if now_s - max(self._closing_since_s, self._stalled_since_s or 0.0) >= CLOSING_S:
                self._reset()
        elif (
            self._stalled_since_s is not None
            and not self._responding()
            and now_s - self._stalled_since_s >= TAKING_S
        ):
            log.info("viewer takes nothing", viewer=self.client and self.client[0])
            self._reset()

    def _see_what_is_taken(self, now_s: float) -> None:
        if self._stalled_since_s is not None:
            buffered_bytes = self.transport.get_write_buffer_size()
            if buffered_bytes < self._buffered_bytes:
                self._stalled_since_s = now_s
            self._buffered_bytes = buffered_bytes

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # It waits again, among others that do.
        self._watch()
        if len(self.connections) > WAITING_LIMIT:
            self._make_room()

    def send_400_response(self, msg: str) -> None:
        if self._responding():
            # The body of a request broke while it is answered: what is sent to it is lost, and no
            # other answer fits into what was begun.
            self._leave()
            self.transport.abort()
        elif self.conn.our_state is h11.IDLE:
            super().send_400_response(msg)
        else:
            self.transport.abort()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._application(scope, receive, send)
        except TruncatedError:
            if self._responding() and not self.cycle.disconnected:
                self._leave()
                # What is buffered still leaves, and then the connection ends without a last chunk.
                self.transport.close()

    def _leave(self) -> None:
        """Have the application see that nobody takes its answer any more."""
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        self.flow.resume_writing()

    def _reset(self) -> None:
        """End without what is still buffered, in the kernel too, which would go on trying."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def _make_room(self, *, scarce: bool = False) -> None:
        """Close a connection where there are too many: of those that wait, of this address, or at
        all. `scarce`: one that waits has to go in any case."""
        all_ = [each for each in self.connections if isinstance(each, BoundedProtocol)]
        waiting = [each for each in all_ if each._deadline is not None and each is not self]
        if len(waiting) >= WAITING_LIMIT or (scarce and waiting):
            min(waiting, key=BoundedProtocol._waits_until_s).transport.abort()
            return
        crowd = [each for each in all_ if each._place == self._place]
        if len(crowd) <= self._limit():
            if len(all_) <= CONNECTION_LIMIT:
                return
            (place, _), *_ = Counter(each._place for each in all_).most_common(1)
            crowd = [each for each in all_ if each._place == place]
        others = [each for each in crowd if each is not self]
        spared = min(others, key=BoundedProtocol._needs_its_place, default=None)
        if spared is not None and spared._needs_its_place() < _IN_USE:
            spared.transport.abort()
        else:
            self._application = _unavailable

    def _limit(self) -> int:
        is_shared = self.client is not None and is_loopback(self.client[0])
        return PROXY_LIMIT if is_shared else self._shared_limit

    def _needs_its_place(self) -> tuple[int, float]:
        """The less, the sooner it is closed: who waits before who takes nothing, each by how long,
        and nobody who takes what they are sent."""
        if self._deadline is not None:
            return 0, self._waits_until_s()
        since_s = self._stalled_since_s
        if since_s is not None and self.loop.time() - since_s >= STALLED_S:
            return 1, since_s
        return _IN_USE

    def _waits_until_s(self) -> float:
        return self._deadline.when() if self._deadline else math.inf

    def _responding(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _watch(self) -> None:
        is_sending = self._responding() or self._stalled_since_s is not None
        if is_sending or self.transport.is_closing():
            self._unwatch()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_DEADLINE_S, self.transport.abort)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


_IN_USE = (2, 0.0)


class BehindProxyProtocol(BoundedProtocol):
    """The same, where any address may be a proxy's."""

    _shared_limit = PROXY_LIMIT


async def _unavailable(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse without a body, since some clients store whatever comes as video."""
    headers = [
        (b"content-length", b"0"),
        (b"connection", b"close"),
        (b"retry-after", b"5"),
        (b"x-hdhomerun-error", b"803 System Busy"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


_files_told = LogLimit(10.0)


def _log_files() -> None:
    if _files_told.allows(""):
        log.warning(
            "too many open files: connections are refused; raise LimitNOFILE= of the service, or "
            "ulimit -n",
            limit=open_files.limit(),
        )


def _plain(address: tuple[Any, ...] | None) -> tuple[str, int] | None:
    """Address and port; one of IPv4 as such, through whichever socket it came."""
    return (str(address[0]).removeprefix("::ffff:"), int(address[1])) if address else None
