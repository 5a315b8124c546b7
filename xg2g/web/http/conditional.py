"""Conditional requests and content codings (RFC 9110, sections 13 and 12.5.3)."""

import asyncio
import gzip
import re
from hashlib import sha256
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

_UNCODED_BYTES: Final = 1024
"""Shorter bodies are not compressed: they fit into one packet as they are."""
_AT_ONCE_BYTES: Final = 32 * 1024
"""Longer bodies are compressed in a thread: they would hold the event loop for milliseconds."""
_LEVEL: Final = 4


def entity_tag(*parts: str | bytes) -> str:
    """Return a strong entity tag of what `parts` determine."""
    digest = sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return f'"{digest.hexdigest()[:32]}"'


def has_current(request: Request, tag: str) -> bool:
    """Tell whether the client already has the representation with this tag: answer with 304."""
    given = ", ".join(request.headers.getlist("if-none-match"))
    tags = {item.strip().removeprefix("W/") for item in given.split(",")}
    return tag in tags or "*" in tags


def accepts_gzip(request: Request) -> bool:
    """Tell whether the client accepts content coded with gzip."""
    weights = {}
    for item in ",".join(request.headers.getlist("accept-encoding")).lower().split(","):
        coding, _, parameter = item.partition(";")
        weights[coding.strip()] = parameter.replace(" ", "")
    weight = weights.get("gzip", weights.get("*"))
    return weight is not None and re.fullmatch(r"q=0(\.0*)?", weight) is None


async def private_answer(request: Request, body: bytes, media_type: str) -> Response:
    """Return an answer that only this client may keep: gzipped if it accepts that, and 304 if it
    has the current one."""
    is_coded = len(body) >= _UNCODED_BYTES and accepts_gzip(request)
    headers = {
        # Other clients may need a token for the same URL.
        "Cache-Control": "private, no-cache",
        "Vary": "Accept-Encoding, Authorization",
        "ETag": entity_tag(body, "gzip" if is_coded else ""),
    }
    if has_current(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    if is_coded:
        headers["Content-Encoding"] = "gzip"
        if len(body) <= _AT_ONCE_BYTES:
            body = _gzipped(body)
        else:
            body = await asyncio.to_thread(_gzipped, body)
    return Response(body, headers=headers, media_type=media_type)


def _gzipped(body: bytes) -> bytes:
    return gzip.compress(body, _LEVEL, mtime=0)
