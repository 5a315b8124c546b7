"""uvicorn, with what it lacks against slow, stalled and vanished clients.

h11 rather than httptools: it gives up a request's head that is still unfinished after 16 KiB (one
that a single read brings whole is taken), where httptools took 30 MB, and answers HTTP/1.0 clients
without chunks. What it costs more, 7 microseconds for a chunk of 24 kB, is a hundredth of a core
for 30 streams at 50 chunks a second.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from operator import itemgetter
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from .errors import UserError

REQUEST_DEADLINE_S = 10
"""From the connection, or the first byte of a further request, to the end of its head."""

CONNECTION_LIMIT = 512
"""Connections at once; each holds a few buffers of 64 KiB, and a home has a dozen."""

WAITING_LIMIT = 128
"""Of these, such as have brought no request yet, or have had their answer. One more, and the one
that has waited longest is closed: who opens hundreds and says nothing keeps nobody out."""

SHUTDOWN_S = 3
"""How long other requests may take to finish; live streams are ended at once."""

_BACKLOG = 128


def listen(host: str, port: int, *, dead_after_s: float) -> socket.socket:
    """Open the listening socket. Connections made through it end when the other side does not
    acknowledge anything, or takes nothing, for `dead_after_s`. Raises `UserError`."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        # Here already, so that a port that another daemon listens on is found before serving.
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    # Inherited by what it accepts. Keepalive finds a viewer who vanished while nothing was sent.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", int(dead_after_s)),
        ("TCP_KEEPINTVL", 1),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", int(dead_after_s * 1000)),
    ):
        if hasattr(socket, name):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), max(1, value))
    listener.setblocking(False)
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> UserError:
    return UserError(
        f"cannot listen on {host} port {port}: {error.strerror or error}; choose another with "
        "--host and --port"
    )


async def serve(
    app: ASGIApp,
    listeners: Sequence[socket.socket],
    *,
    on_ready: Callable[[], None],
    on_stop: Callable[[], None],
) -> None:
    """Serve until SIGTERM or SIGINT. `on_stop` has to end what never ends by itself."""
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # Anybody can send X-Forwarded-For and -Proto; `public_url` says what a proxy would.
        proxy_headers=False,
        backlog=_BACKLOG,
        limit_concurrency=CONNECTION_LIMIT,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    await _Server(config, on_ready, on_stop).serve([*listeners])


class BoundedProtocol(H11Protocol):
    """A connection that has to bring its request in time, and that may half-close."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.client = _plain(transport.get_extra_info("peername"))
        self.server = _plain(transport.get_extra_info("sockname"))
        self._watch()
        if len(self.connections) > WAITING_LIMIT:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def eof_received(self) -> None:
        # asyncio closes the transport now, but only once what is buffered has left, and for a
        # viewer who takes nothing any more that is never. Whoever hangs up has left.
        if self._responding():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.flow.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def _make_room(self) -> None:
        waiting = [
            (each._deadline.when(), each.transport)
            for each in self.connections
            if isinstance(each, BoundedProtocol) and each._deadline is not None
        ]
        if len(waiting) > WAITING_LIMIT:
            min(waiting, key=itemgetter(0))[1].abort()

    def _responding(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _watch(self) -> None:
        if self._responding() or self.transport.is_closing():
            self._unwatch()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_DEADLINE_S, self.transport.abort)

    def _unwatch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _plain(address: tuple[Any, ...] | None) -> tuple[str, int] | None:
    """Address and port; one of IPv4 as such, through whichever socket it came."""
    return (str(address[0]).removeprefix("::ffff:"), int(address[1])) if address else None


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn waits for responses to complete before the application's lifespan hears of the
        # end; live ones never do.
        self._on_stop()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn's own raises the signal again at the end; a stop that was asked for is a success.
        self.force_exit = self.should_exit
        self.should_exit = True
