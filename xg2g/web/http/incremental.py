"""A document that grows with the lineup, made in pieces so that nobody else waits for it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from hashlib import sha256

import structlog
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from ...network.http_bodies import TruncatedError
from ..routes.download import StalledError, send_all
from .conditional import has_current

log = structlog.get_logger()

PIECE_BYTES = 32 * 1024
"""Made without a turn of the event loop between: some hundred channels, a millisecond."""
KEPT_BYTES = 512 * 1024
"""A longer document is made twice, for its tag and length and while it is sent, rather than kept:
it may be sent to many who take it slowly."""


class DocumentResponse:
    """Answers with a document, its length, and an entity tag of its content."""

    def __init__(
        self, request: Request, texts: Callable[[], Iterable[str]], *, media_type: str
    ) -> None:
        """`texts` makes the document anew whenever it is called, and always the same one."""
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
        pieces = _again(kept) if length <= KEPT_BYTES else self._pieces()
        del kept
        try:
            await send_all(self._request, send, pieces)
        except StalledError as error:
            log.info("document not sent", path=scope["path"], reason=str(error))
            raise TruncatedError from error

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        for piece in _gathered(self._texts()):
            yield piece
            await asyncio.sleep(0)


async def _again(pieces: list[bytes]) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece


def _gathered(texts: Iterable[str]) -> Iterator[bytes]:
    held = bytearray()
    for text in texts:
        held += text.encode()
        if len(held) >= PIECE_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _start(status: int, headers: dict[str, str]) -> dict[str, object]:
    coded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": coded}
