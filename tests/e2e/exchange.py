"""Requests to the byte, and what comes back."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from urllib.parse import urlsplit

from tests.harness.house import House

PACKETS = 20
"""Of a stream: enough to know it."""


def ask(home: House, request: str) -> tuple[int, dict[str, str], bytes]:
    """Send a request as it stands, with the address as its Host; status, headers (lower case) and
    the body, of which a live stream's first packets."""
    with sent(home, request) as answer:
        status, headers = head(answer)
        if request.startswith("HEAD "):
            return status, headers, answer.read()
        is_live = headers.get("content-type", "").lower() == "video/mp2t"
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while piece := chunk(answer):
                body += piece
                if is_live and len(body) >= PACKETS * 188:
                    break
            return status, headers, body[: PACKETS * 188] if is_live else body
        size = PACKETS * 188 if is_live else int(headers["content-length"])
        return status, headers, answer.read(size)


@contextmanager
def opened(home: House, request: str) -> Iterator[tuple[dict[str, str], Callable[[], bytes]]]:
    """A stream for as long as the context is open: its headers, and what gives the next piece."""
    with sent(home, request) as answer:
        status, headers = head(answer)
        assert status == 200
        assert headers["transfer-encoding"] == "chunked"
        yield headers, lambda: chunk(answer)


@contextmanager
def sent(home: House, request: str) -> Iterator[BufferedReader]:
    """What answers the request, over a connection of its own."""
    where = urlsplit(home.url)
    text = request.replace("\n", "\r\n").replace("{host}", where.netloc)
    with (
        socket.create_connection((where.hostname or "", where.port or 80), 30) as connection,
        connection.makefile("rb") as answer,
    ):
        connection.sendall(text.encode())
        yield answer


def head(answer: BufferedReader) -> tuple[int, dict[str, str]]:
    """Status and headers, their names in lower case."""
    status = int(answer.readline().split()[1])
    headers = {}
    while line := answer.readline().decode("latin-1").strip():
        key, value = line.split(": ", 1)
        headers[key.lower()] = value
    return status, headers


def chunk(answer: BufferedReader) -> bytes:
    """The next chunk (RFC 9112, 7.1); empty at the end of the body."""
    data = answer.read(int(answer.readline(), 16))
    answer.readline()
    return data
