"""The listening sockets."""

import contextlib
import socket
import sys

from ..errors import UserError
from ..network.tcp_liveness import UNSENT_BYTES

BACKLOG = 128
_KEEPALIVE = (
    ("TCP_KEEPIDLE", 2),
    ("TCP_KEEPALIVE", 2),  # What macOS calls it.
    ("TCP_KEEPINTVL", 1),
    ("TCP_KEEPCNT", 3),
)
"""Detects within 5 s a client that vanished while nothing was sent to it."""


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket. Raises `UserError`."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    if sys.platform != "win32":  # There it would let two programs listen at one port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        # Listen now, so that a port in use is detected before the daemon starts to serve.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    # Accepted sockets inherit the options. No TCP_USER_TIMEOUT: it would end paused players, too.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (*_KEEPALIVE, ("TCP_NOTSENT_LOWAT", UNSENT_BYTES)):
        # Python may know an option that the system does not have, as on older Windows.
        with contextlib.suppress(AttributeError, OSError):
            listener.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    listener.setblocking(False)
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> UserError:
    return UserError(
        f"cannot listen on {host} port {port}: {error.strerror or error}; choose another with "
        "--host and --port"
    )
