"""The HTTP server: uvicorn, hardened against slow, stalled and vanished clients.

h11 rather than httptools: it rejects a request's head that is unfinished after 16 KiB (a longer one
that arrives in a single read is accepted), where httptools accepts 30 MB, and it responds to
HTTP/1.0 clients without chunks. Its additional cost, 7 microseconds for a chunk of 24 kB, is a
hundredth of a core for 30 streams at 50 chunks a second.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Collection, Sequence
from types import FrameType

import structlog
import uvicorn
from starlette.types import ASGIApp

from ..network.log_limit import LogLimit
from .connection import BehindProxyProtocol, BoundedProtocol
from .listening import BACKLOG

log = structlog.get_logger()

SHUTDOWN_S = 3
"""How long requests may take to finish at the end; live streams end at once."""

WATCH_INTERVAL_S = 0.5
"""Interval between two checks of `TCP_INFO` of all connections: 1.5 microseconds each."""


async def serve(
    app: ASGIApp,
    listeners: Sequence[socket.socket],
    *,
    on_ready: Callable[[], None],
    on_stop: Callable[[], None],
    behind_proxy: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT. `on_stop` has to end streams, which never end by themselves.

    `behind_proxy`: all clients may have one address.
    """
    logging.getLogger("uvicorn.error").addFilter(_log_limit)
    config = uvicorn.Config(
        app,
        http=BehindProxyProtocol if behind_proxy else BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # Any client can send X-Forwarded-For and -Proto; `public_url` is used instead.
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    server = _Server(config, on_ready, on_stop)
    watching = asyncio.create_task(_watch(server.server_state.connections))
    try:
        await server.serve([*listeners])
    finally:
        watching.cancel()


async def _watch(connections: Collection[asyncio.Protocol]) -> None:
    """End the connections of vanished clients, until cancelled."""
    while True:
        await asyncio.sleep(WATCH_INTERVAL_S)
        for each in [*connections]:
            if isinstance(each, BoundedProtocol):
                each.end_if_vanished()


class _LogLimitFilter(logging.Filter):
    """Passes each line of uvicorn once a second, so that malformed requests cannot fill the log."""

    def __init__(self) -> None:
        super().__init__()
        self._log_limit = LogLimit(1.0)

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.WARNING or self._log_limit.allows(str(record.msg))


_log_limit = _LogLimitFilter()


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
        # uvicorn waits for responses to complete before it ends the lifespan; streams never do.
        self._on_stop()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn raises the signal again at the end; a requested stop is a success.
        self.force_exit = self.should_exit
        self.should_exit = True
