"""The listening sockets."""

import socket

from ..errors import UserError
from ..network.tcp_liveness import UNSENT_BYTES

BACKLOG = 128
_KEEPALIVE = (
    ("TCP_KEEPIDLE", 2),
    ("TCP_KEEPALIVE", 2),  # What macOS calls it.
    ("TCP_KEEPINTVL", 1),
    ("TCP_KEEPCNT", 3),
)
"""Finds within 5 s who vanished while nothing was sent to them."""


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket. Raises `UserError`."""
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
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    # Inherited by what it accepts. No TCP_USER_TIMEOUT: the kernel ends paused players by it, too.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (*_KEEPALIVE, ("TCP_NOTSENT_LOWAT", UNSENT_BYTES)):
        if hasattr(socket, name):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    listener.setblocking(False)
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> UserError:
    return UserError(
        f"cannot listen on {host} port {port}: {error.strerror or error}; choose another with "
        "--host and --port"
    )
