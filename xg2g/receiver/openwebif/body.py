"""The body of an answer, complete and kept compressed.

A guide of 200 services and 7 days is 50 MB of JSON and 2 MB compressed. It is taken off the
receiver as fast as the network carries it, so that the next question need not wait for whoever
reads this one.
"""

import asyncio
import gzip
import io
import zlib
from collections.abc import Iterator
from typing import Self

import httpx

_GZIP = 16 + zlib.MAX_WBITS
_PACKED_LIMIT_BYTES = 32 * 1024 * 1024
"""Of what is kept, whatever it is unpacked: the guide of 3000 services."""
_STEP_BYTES = 64 * 1024
"""Unpacked at a time, so that no answer is ever whole in memory before its size is known."""
_STEPS_A_TURN = 16
"""Steps between two turns of the event loop: a millisecond of zeros."""


class BodyError(ValueError):
    """The body is too large, or in a coding that was not asked for."""


class Body:
    """Bytes that are compressed while nobody reads them."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    @classmethod
    async def receive(cls, response: httpx.Response, *, limit_bytes: int) -> Self:
        """Read an answer as it comes. Raises `BodyError` as soon as it is more than `limit_bytes`
        unpacked, and before a byte is read when its coding is neither identity nor gzip.

        httpx itself would unpack each coding that the header lists, one after the other, and each
        network read whole: ten kilobytes become gigabytes.
        """
        codings = response.headers.get_list("Content-Encoding", split_commas=True)
        match [c for c in (coding.strip().lower() for coding in codings) if c != "identity"]:
            case []:
                return cls(await _packed(response, limit_bytes))
            case ["gzip" | "x-gzip"]:
                return cls(await _as_packed(response, limit_bytes))
            case others:
                raise BodyError(f"its coding is {', '.join(others)[:64]}, and gzip was asked for")

    def open(self) -> io.BufferedIOBase:
        """A reader of what was sent. Reading raises `OSError`, `EOFError` or `zlib.error` when
        the receiver packed it wrongly; read in pieces, since it may be as long as was allowed."""
        return gzip.GzipFile(fileobj=io.BytesIO(self._packed))

    def read(self, limit_bytes: int) -> bytes:
        """All of it. Raises `ValueError` if that is more than `limit_bytes`, or packed wrongly."""
        try:
            content = self.open().read(limit_bytes + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError("it is damaged") from error
        if len(content) > limit_bytes:
            raise _too_large()
        return content


async def _packed(response: httpx.Response, limit_bytes: int) -> bytes:
    """The body of an answer that came as it is, packed."""
    packer = zlib.compressobj(level=1, wbits=_GZIP)
    packed, received = bytearray(), 0
    # Transports that bring an answer whole have it read already.
    async for chunk in response.aiter_bytes() if response.is_closed else response.aiter_raw():
        received += len(chunk)
        packed += packer.compress(chunk)
        if received > limit_bytes or len(packed) > _PACKED_LIMIT_BYTES:
            raise _too_large()
    return bytes(packed + packer.flush())


async def _as_packed(response: httpx.Response, limit_bytes: int) -> bytes:
    """The body of an answer that came packed, as it came; its size is found by unpacking."""
    packed, meter = bytearray(), _Meter()
    async for chunk in response.aiter_raw():
        packed += chunk
        for step, size in enumerate(meter.sizes(chunk), 1):
            if size > limit_bytes:
                raise _too_large()
            if step % _STEPS_A_TURN == 0:
                await asyncio.sleep(0)
        if len(packed) > _PACKED_LIMIT_BYTES:
            raise _too_large()
    return bytes(packed)


class _Meter:
    """Counts what a gzip file unpacks to, its members together (RFC 1952, 2.2)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._size = 0
        self._damaged = False

    def sizes(self, chunk: bytes) -> Iterator[int]:
        """Take a chunk; yield the size so far after each step."""
        while chunk and not self._damaged:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                self._size += len(self._member.decompress(chunk, _STEP_BYTES))
            except zlib.error:
                # Whoever reads it finds that, too; nothing behind it is unpacked.
                self._damaged = True
            yield self._size
            chunk = self._member.unused_data if self._member.eof else self._member.unconsumed_tail


def _too_large() -> BodyError:
    return BodyError("it is larger than any receiver's")
