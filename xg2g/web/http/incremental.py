"""Answers made in small steps, so that the event loop serves others in between."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing
from hashlib import sha256
from typing import TypeVar

import structlog
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from ...network.http_bodies import TruncatedError
from .conditional import has_current

log = structlog.get_logger()

A = TypeVar("A")
B = TypeVar("B")

ROWS_AT_ONCE = 100
"""Rows of an answer that are made in one step: one to three milliseconds."""
PIECE_BYTES = 32 * 1024
"""Size of a document's part that is made in one step: some hundred channels, a millisecond."""
KEPT_BYTES = 512 * 1024
"""Longest document that is kept while it is sent. A longer one is made twice, once for its tag and
length and once to send it: many slow clients may ask for it at the same time."""
STALL_S = 10
"""How long a client may stop reading."""
TOTAL_S = 900
"""How long a download may take. The snapshot of the database that it holds makes the database file
grow with every write."""


class StalledError(Exception):
    """The client reads too slowly."""


async def in_steps(make: Callable[[A], B], items: Iterable[A]) -> list[B]:
    """Return `make` of each item."""
    made = list[B]()
    for item in items:
        made.append(make(item))
        if len(made) % ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)
    return made


async def send_all(
    request: Request,
    send: Send,
    pieces: AsyncGenerator[bytes, None],
    *,
    total_s: float = TOTAL_S,
) -> None:
    """Send a body. Each piece is made when the one before it was sent. Raises `StalledError`."""
    try:
        async with asyncio.timeout(total_s), aclosing(pieces):
            async for piece in pieces:
                if await request.is_disconnected():
                    return
                async with asyncio.timeout(STALL_S):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
    except TimeoutError as error:
        raise StalledError("the client takes too long") from error
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class DocumentResponse:
    """Response with a document that grows with the lineup, its length and its entity tag."""

    def __init__(
        self, request: Request, texts: Callable[[], Iterable[str]], *, media_type: str
    ) -> None:
        """`texts` makes the document; it returns the same one each time it is called."""
        self._request = request
        self._texts = texts
        self._media_type = media_type

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        digest, length, kept = sha256(), 0, list[bytes]()
        async for piece in self._pieces():
            digest.update(piece)
            length += len(piece)
            if length <= KEPT_BYTES:
                kept.append(piece)
        headers = {"Cache-Control": "no-cache", "ETag": f'"{digest.hexdigest()[:32]}"'}
        if has_current(self._request, headers["ETag"]):
            await send(_start(304, headers))
            await send({"type": "http.response.body", "body": b""})
            return
        headers |= {"Content-Type": self._media_type, "Content-Length": str(length)}
        await send(_start(200, headers))
        if self._request.method == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        pieces = _iterate(kept) if length <= KEPT_BYTES else self._pieces()
        del kept
        try:
            await send_all(self._request, send, pieces)
        except StalledError as error:
            log.info("document not sent", path=scope["path"], reason=str(error))
            raise TruncatedError from error

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        for piece in _joined(self._texts()):
            yield piece
            await asyncio.sleep(0)


async def _iterate(pieces: list[bytes]) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece


def _joined(texts: Iterable[str]) -> Iterator[bytes]:
    held = bytearray()
    for text in texts:
        held += text.encode()
        if len(held) >= PIECE_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _start(status: int, headers: dict[str, str]) -> dict[str, object]:
    encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": encoded}
