"""HTTP bodies that may not be trusted, or that end before they are complete."""

import httpx

IDENTITY_ONLY = {"Accept-Encoding": "identity"}
"""Request headers that ask for a body without compression."""


async def read_small_body(response: httpx.Response, *, limit_bytes: int) -> bytes | None:
    """Read the body of a streamed response from an unknown host.

    Nothing is ever decompressed. Returns None when the body is larger than `limit_bytes`, or
    compressed in spite of `IDENTITY_ONLY`. Raises `httpx.HTTPError`."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return None
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit_bytes:
            return None
    return bytes(body)


class TruncatedError(Exception):
    """A response ends before its body is complete. The server closes the connection without the
    last chunk (RFC 9112, 7.1), so that the client treats the body as incomplete (section 8)."""
