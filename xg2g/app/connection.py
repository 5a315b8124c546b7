"""One client connection, with limits on time and number."""

import asyncio
import contextlib
import itertools
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
from ..network.tcp_liveness import Acknowledgements, TcpInfo, WindowProbes, limit_retry_interval
from . import open_files

log = structlog.get_logger()

REQUEST_DEADLINE_S = 10
"""Time for a request's head, from the connection or from the first byte of the next request."""

CONNECTION_LIMIT = 512
"""Maximum number of connections; each holds a few buffers of 64 KiB, and a home needs a dozen."""

ADDRESS_LIMIT = 128
"""Maximum number of connections from one address (with IPv6, from one /64). Another connection
closes the least needed one of that address, so that one client cannot keep others out."""

PROXY_LIMIT = 384
"""`ADDRESS_LIMIT` of addresses that may stand for a whole household: loopback, and every address
behind a reverse proxy."""

IDLE_LIMIT = 128
"""Maximum number of idle connections: without a request yet, or after their response. Another one
closes the connection that has been idle longest, so that hundreds of silent connections keep
nobody out."""

STALLED_S = 1.0
"""A client that has read nothing for this time is closed first when there are too many."""

CLOSING_S = 10.0
"""How long a client may read nothing of the rest of a closing connection."""

UNREAD_RESPONSE_S = 30.0
"""How long a client may read nothing of a response that is buffered as a whole: an HLS segment has
megabytes."""


class BoundedProtocol(H11Protocol):
    """A connection with a deadline for its request. It may half-close, and it is closed early when
    there are too many connections."""

    _shared_limit = ADDRESS_LIMIT
    _deadline: asyncio.TimerHandle | None = None
    _idle_number = 0
    """The lowest is idle longest; times may be the same, a loop's clock counts milliseconds."""
    _is_aborted = False
    """Its loss is reported in the event loop's next turn; until then it counts no more."""
    _stalled_since_s: float | None = None
    """Since when the client has read nothing of a full buffer; None if the buffer is not full."""
    _buffered_bytes = 0
    _closing_since_s: float | None = None
    _network = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.client = _plain(transport.get_extra_info("peername"))
        self.server = _plain(transport.get_extra_info("sockname"))
        self._network = client_network(self.client[0]) if self.client else ""
        self._application, self.app = self.app, self._answer
        self._update_deadline()
        self._socket = transport.get_extra_info("socket")
        self._acknowledgements = Acknowledgements()
        self._window_probes = (
            None if limit_retry_interval(self._socket) else WindowProbes(self._socket)
        )
        files_left = open_files.left(self._socket.fileno())
        if files_left <= 0:
            _log_files()
            self._application = _unavailable
        if files_left <= 0 or len(self.connections) > min(IDLE_LIMIT, ADDRESS_LIMIT):
            self._make_room(scarce=files_left <= 0)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._update_deadline()

    def eof_received(self) -> None:
        # asyncio closes the transport only after the buffer is sent, which never happens for a
        # client that stopped reading. A client that hangs up has left.
        if self._responding():
            self._note_client_left()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled_since_s = self.loop.time()
        self._buffered_bytes = self.transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stalled_since_s = None
        # A response that was buffered as a whole has been sent: the connection is idle now.
        self._update_deadline()

    def timeout_keep_alive_handler(self) -> None:
        if self._stalled_since_s is None:
            super().timeout_keep_alive_handler()
        else:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def end_if_vanished(self) -> None:
        """End the connection at once if the client no longer acknowledges data, or no longer reads
        a buffered response or the rest of a closing connection."""
        now_s = self.loop.time()
        self._note_progress(now_s)
        info = TcpInfo.of(self._socket)
        if info is not None and self._window_probes is not None:
            self._window_probes.extend(info, now_s)
        if info is not None and self._acknowledgements.have_ceased(info, now_s):
            log.info("client vanished", client=self.client and self.client[0])
            self._reset()
        elif self.transport.is_closing():
            self._closing_since_s = self._closing_since_s or now_s
            if now_s - max(self._closing_since_s, self._stalled_since_s or 0.0) >= CLOSING_S:
                self._reset()
        elif (
            self._stalled_since_s is not None
            and not self._responding()
            and now_s - self._stalled_since_s >= UNREAD_RESPONSE_S
        ):
            log.info("client does not read", client=self.client and self.client[0])
            self._reset()

    def _note_progress(self, now_s: float) -> None:
        if self._stalled_since_s is not None:
            buffered_bytes = self.transport.get_write_buffer_size()
            if buffered_bytes < self._buffered_bytes:
                self._stalled_since_s = now_s
            self._buffered_bytes = buffered_bytes

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # The connection is idle again.
        self._update_deadline()
        if len(self.connections) > IDLE_LIMIT:
            self._make_room()

    def send_400_response(self, msg: str) -> None:
        if self._responding():
            # The request's body is malformed, and its response has already begun: no other response
            # can follow.
            self._note_client_left()
            self._abort()
        elif self.conn.our_state is h11.IDLE:
            super().send_400_response(msg)
        else:
            self._abort()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._application(scope, receive, send)
        except TruncatedError:
            if self._responding() and not self.cycle.disconnected:
                self._note_client_left()
                # The buffer is still sent; then the connection ends without a last chunk.
                self.transport.close()

    def _note_client_left(self) -> None:
        """Tell the application that the client is gone."""
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        self.flow.resume_writing()

    def _reset(self) -> None:
        """End the connection and discard the buffers, also the kernel's, which would retry."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._abort()

    def _abort(self) -> None:
        self._is_aborted = True
        self._clear_deadline()
        self.transport.abort()

    def _make_room(self, *, scarce: bool = False) -> None:
        """Close the least needed connection if there are too many: idle ones, of this address, or
        in all. `scarce`: close an idle one in any case."""
        # Several clients may be accepted in one turn of the event loop: each has another closed.
        all_ = [
            each
            for each in self.connections
            if isinstance(each, BoundedProtocol) and not each._is_aborted
        ]
        idle = [each for each in all_ if each._deadline is not None and each is not self]
        if len(idle) >= IDLE_LIMIT or (scarce and idle):
            min(idle, key=lambda each: each._idle_number)._abort()
            return
        rivals = [each for each in all_ if each._network == self._network]
        if len(rivals) <= self._limit():
            if len(all_) <= CONNECTION_LIMIT:
                return
            (network, _), *_ = Counter(each._network for each in all_).most_common(1)
            rivals = [each for each in all_ if each._network == network]
        others = [each for each in rivals if each is not self]
        least = min(others, key=BoundedProtocol._priority, default=None)
        if least is not None and least._priority() < _IN_USE:
            least._abort()
        else:
            self._application = _unavailable

    def _limit(self) -> int:
        is_shared = self.client is not None and is_loopback(self.client[0])
        return PROXY_LIMIT if is_shared else self._shared_limit

    def _priority(self) -> tuple[int, float]:
        """Return the sort key for closing, lowest first: idle connections before stalled ones, the
        longest first; `_IN_USE` ones are never closed."""
        if self._deadline is not None:
            return 0, self._idle_number
        since_s = self._stalled_since_s
        if since_s is not None and self.loop.time() - since_s >= STALLED_S:
            return 1, since_s
        return _IN_USE

    def _responding(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _update_deadline(self) -> None:
        is_sending = self._responding() or self._stalled_since_s is not None
        if is_sending or self.transport.is_closing():
            self._clear_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_DEADLINE_S, self._abort)
            self._idle_number = next(_idle_numbers)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


_IN_USE = (2, 0.0)
_idle_numbers = itertools.count(1)


class BehindProxyProtocol(BoundedProtocol):
    """A connection behind a reverse proxy, where any address may be the proxy's."""

    _shared_limit = PROXY_LIMIT


async def _unavailable(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond 503 with an empty body: clients store any body of a stream URL as video."""
    headers = [
        (b"content-length", b"0"),
        (b"connection", b"close"),
        (b"retry-after", b"5"),
        (b"x-hdhomerun-error", b"803 System Busy"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


_files_log_limit = LogLimit(10.0)


def _log_files() -> None:
    if _files_log_limit.allows(""):
        log.warning(
            "too many open files, connections are refused; raise LimitNOFILE= of the service, or "
            "ulimit -n",
            limit=open_files.limit(),
        )


def _plain(address: tuple[Any, ...] | None) -> tuple[str, int] | None:
    """Return address and port; IPv4 in IPv6's form becomes IPv4."""
    return (str(address[0]).removeprefix("::ffff:"), int(address[1])) if address else None
