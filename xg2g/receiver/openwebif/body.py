"""The body of an answer, complete and kept compressed.

A guide of 200 services and 7 days is 50 MB of JSON and 2 MB compressed. It is taken off the
receiver as fast as the network carries it, so that the next question need not wait for whoever
reads this one.
"""

import gzip
import io
import zlib
from typing import Self

import httpx

_GZIP = 16 + zlib.MAX_WBITS


class Body:
    """Bytes that are compressed while nobody reads them."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    @classmethod
    async def receive(cls, response: httpx.Response, *, limit_bytes: int) -> Self | None:
        """Read an answer as it comes; None if it is larger on its way, or unknown in its coding."""
        coding = response.headers.get("Content-Encoding", "identity").lower()
        packed = bytearray()
        received = 0
        if coding == "gzip":
            async for chunk in response.aiter_raw():
                packed += chunk
                if len(packed) > limit_bytes:
                    return None
            return cls(bytes(packed))
        packer = zlib.compressobj(level=1, wbits=_GZIP)
        async for chunk in response.aiter_bytes():
            received += len(chunk)
            if received > limit_bytes:
                return None
            packed += packer.compress(chunk)
        return cls(bytes(packed + packer.flush()))

    def open(self) -> io.BufferedIOBase:
        """A reader of what was sent. Reading raises `OSError`, `EOFError` or `zlib.error` when
        the receiver packed it wrongly; it may be any size, so read in pieces."""
        return gzip.GzipFile(fileobj=io.BytesIO(self._packed))

    def read(self, limit_bytes: int) -> bytes:
        """All of it. Raises `ValueError` if that is more than `limit_bytes`, or packed wrongly."""
        try:
            content = self.open().read(limit_bytes + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError("it is damaged") from error
        if len(content) > limit_bytes:
            raise ValueError("it never ends")
        return content
