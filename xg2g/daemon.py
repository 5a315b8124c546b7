"""The daemon put together: settings in, a running server out."""

import socket
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from .app import Gateway, create_app
from .backend import choose_backend
from .config import Settings
from .errors import UserError
from .lineup import Lineup
from .lineup_reader import LineupKeeper, read_lineup
from .metrics import Metrics
from .receiver.errors import ReceiverError
from .receiver.openwebif import OpenWebif
from .receiver.stream import StreamServer
from .server import listen, serve
from .streaming import LiveStreams

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ready:
    """What there is to say once the daemon serves."""

    host: str
    port: int
    lineup: Lineup | None
    """None while the receiver has not answered yet."""


async def run(settings: Settings, *, on_ready: Callable[[Ready], None]) -> None:
    """Serve until SIGTERM or SIGINT. Raises `UserError`.

    A receiver that does not answer at the start ends the daemon, since that is most often a wrong
    address that somebody at a terminal wants to see at once. With `receiver.wait`, for a service
    that starts at boot, the daemon serves and keeps asking.
    """
    address = settings.receiver_address()
    metrics = Metrics()
    backend = choose_backend(settings, observer=metrics.backend)
    metrics.backend.runs(backend.name)
    try:
        health = await backend.check()
        if not health.usable:
            raise UserError(health.detail)
        for warning in health.warnings:
            log.warning(warning)
        async with OpenWebif(
            address,
            connect_timeout_s=settings.receiver.connect_timeout_s,
            answer_timeout_s=settings.receiver.answer_timeout_s,
        ) as receiver:
            keeper = LineupKeeper(lambda: read_lineup(receiver))
            listener = listen(
                settings.server.host,
                settings.server.port,
                dead_after_s=settings.server.send_timeout_s,
            )
            with listener:
                if not settings.receiver.wait:
                    await _load_now(keeper)
                gateway = Gateway(
                    lineup_keeper=keeper,
                    streams=LiveStreams(
                        receiver=StreamServer(address, settings.stream_deadlines()),
                        backend=backend,
                        options=settings.remux_options(),
                        first_output_s=settings.receiver.first_byte_timeout_s,
                        metrics=metrics,
                    ),
                    metrics=metrics,
                    send_timeout_s=settings.server.send_timeout_s,
                )
                await serve(
                    create_app(gateway),
                    listener,
                    on_ready=lambda: on_ready(_ready(listener, keeper.lineup)),
                    on_stop=gateway.stopping.set,
                )
    finally:
        await backend.aclose()


async def _load_now(keeper: LineupKeeper) -> None:
    try:
        await keeper.load()
    except ReceiverError as error:
        raise UserError(f"{error} (with --wait, xg2g starts anyway and keeps asking)") from error


def _ready(listener: socket.socket, lineup: Lineup | None) -> Ready:
    host, port = listener.getsockname()[:2]
    return Ready(host, port, lineup)
