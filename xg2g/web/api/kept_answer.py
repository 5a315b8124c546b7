"""Answers that a client keeps, and asks about again and again."""

import asyncio
import gzip
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from ..http.conditional import accepts_gzip, entity_tag, has_current

_SMALL_BYTES: Final = 1024
"""Shorter ones are sent in one packet anyway."""
_AT_ONCE_BYTES: Final = 32 * 1024
"""Longer ones take milliseconds to compress, which the event loop has not."""
_LEVEL: Final = 4


async def kept_answer(request: Request, body: bytes, media_type: str) -> Response:
    """Answer with the body, compressed if the client takes that, or with 304 if it has it."""
    is_coded = len(body) >= _SMALL_BYTES and accepts_gzip(request)
    headers = {
        # By one client alone: others may have to show a token.
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Encoding, Authorization",
        "ETag": entity_tag(body, "gzip" if is_coded else ""),
    }
    if has_current(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if is_coded:
        headers["Content-Encoding"] = "gzip"
        if len(body) <= _AT_ONCE_BYTES:
            body = _coded(body)
        else:
            body = await asyncio.to_thread(_coded, body)
    return Response(body, headers=headers, media_type=media_type)


def _coded(body: bytes) -> bytes:
    return gzip.compress(body, _LEVEL, mtime=0)
