"""Ports of this computer that nobody listens on."""

import random
import socket
from contextlib import suppress


def free_port() -> int:
    """Return a TCP port of this computer that nobody listens on.

    It lies below the ports that the kernel hands out (from 32768 on Linux, 49152 on macOS), so that
    no other connection takes it before the caller listens on it.
    """
    for port in random.sample(range(20_000, 32_000), 1_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a thousand ports are taken")


def free_address() -> str:
    """Return the URL of such a port."""
    return f"http://127.0.0.1:{free_port()}"
