"""A small answer from a host that is not known yet."""

import httpx

ASK_PLAIN = {"Accept-Encoding": "identity"}
"""Headers of the request."""


async def small_answer(response: httpx.Response, *, limit_bytes: int) -> bytes | None:
    """Read the body of a streamed response; None when it is larger, or packed although
    `ASK_PLAIN` said not to. Nothing is ever unpacked. Raises `httpx.HTTPError`."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return None
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit_bytes:
            return None
    return bytes(body)
