"""Answers of OpenWebif: their bodies, lists too long for memory, and the values in them.

Bodies are complete and stay compressed. A guide of 200 services and 7 days is 50 MB of JSON and
2 MB compressed. It is taken off the receiver as fast as the network carries it, so that the next
request need not wait until this answer has been read.

A number comes as a number, as its text, as `""`, `"N/A"` or null; a boolean as `true` or `"true"`;
a text with the control characters of DVB, and in the guide with HTML entities.
"""

import asyncio
import codecs
import gzip
import html
import io
import json
import math
import re
import unicodedata
import zlib
from collections.abc import Iterator
from typing import Self

import httpx

_GZIP = 16 + zlib.MAX_WBITS
_COMPRESSED_LIMIT_BYTES = 32 * 1024 * 1024
"""Limit of a compressed body: the guide of 3000 services."""
_STEP_BYTES = 64 * 1024
"""Decompressed at a time, so that no answer is ever whole in memory before its size is known."""
_STEPS_PER_TURN = 16
"""Steps between two turns of the event loop: a millisecond of zeros."""

_ITEM_LIMIT_CHARS = 1024 * 1024
"""Limit of an item: an event has some hundred characters, its texts at most some thousand."""
_SEPARATORS = re.compile(r"[\s,]*")

_LATIN_1 = "xg2g.latin-1"
_NOT_KNOWN = "N/A"
_LINE_BREAKS = re.compile("\r\n|[\r\u0085\u008a\ue08a]")
# U+0086 and U+0087 switch emphasis on and off (EN 300 468, annex A); 0x1A makes XML invalid.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ue080-\ue09f\ud800-\udfff\ufffe\uffff]")


class BodyError(ValueError):
    """The body is too large, or has a coding other than the requested one."""


class Body:
    """The body of an answer, kept compressed."""

    def __init__(self, compressed: bytes) -> None:
        self._compressed = compressed

    @classmethod
    async def receive(cls, response: httpx.Response, *, limit_bytes: int) -> Self:
        """Receive a body. Raises `BodyError` as soon as it is larger than `limit_bytes` when
        decompressed, and at once when its coding is neither identity nor gzip.

        httpx itself would decompress every coding that the header lists, one after the other, and
        each network read as a whole: ten kilobytes become gigabytes.
        """
        codings = response.headers.get_list("Content-Encoding", split_commas=True)
        match [c for c in (coding.strip().lower() for coding in codings) if c != "identity"]:
            case []:
                return cls(await _receive_plain(response, limit_bytes))
            case ["gzip" | "x-gzip"]:
                return cls(await _receive_gzip(response, limit_bytes))
            case others:
                raise BodyError(f"its coding is {', '.join(others)[:64]} instead of gzip")

    def open(self) -> io.BufferedIOBase:
        """Return a reader of the decompressed body. Read it in pieces, since it may be as large as
        was allowed. Reading raises `OSError`, `EOFError` or `zlib.error` for damaged data."""
        return gzip.GzipFile(fileobj=io.BytesIO(self._compressed))

    def read(self, limit_bytes: int) -> bytes:
        """Return the whole body. Raises `ValueError` if it exceeds `limit_bytes` or is damaged."""
        try:
            content = self.open().read(limit_bytes + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError("it is damaged") from error
        if len(content) > limit_bytes:
            raise _too_large()
        return content


async def _receive_plain(response: httpx.Response, limit_bytes: int) -> bytes:
    """Receive a body without coding, and compress it."""
    compressor = zlib.compressobj(level=1, wbits=_GZIP)
    compressed, received = bytearray(), 0
    # Transports that return whole answers have read them already.
    async for chunk in response.aiter_bytes() if response.is_closed else response.aiter_raw():
        received += len(chunk)
        compressed += compressor.compress(chunk)
        if received > limit_bytes or len(compressed) > _COMPRESSED_LIMIT_BYTES:
            raise _too_large()
    return bytes(compressed + compressor.flush())


async def _receive_gzip(response: httpx.Response, limit_bytes: int) -> bytes:
    """Receive a compressed body as it is; its size is measured by decompressing it."""
    compressed, meter = bytearray(), _SizeMeter()
    async for chunk in response.aiter_raw():
        compressed += chunk
        for step, size in enumerate(meter.sizes(chunk), 1):
            if size > limit_bytes:
                raise _too_large()
            if step % _STEPS_PER_TURN == 0:
                await asyncio.sleep(0)
        if len(compressed) > _COMPRESSED_LIMIT_BYTES:
            raise _too_large()
    return bytes(compressed)


class _SizeMeter:
    """Measures the decompressed size of a gzip file, all members together (RFC 1952, 2.2)."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._size = 0
        self._damaged = False

    def sizes(self, chunk: bytes) -> Iterator[int]:
        """Take a chunk, and yield the size so far after each step."""
        while chunk and not self._damaged:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                self._size += len(self._member.decompress(chunk, _STEP_BYTES))
            except zlib.error:
                # Reading the body fails at the same place, so nothing after it is decompressed.
                self._damaged = True
            yield self._size
            chunk = self._member.unused_data if self._member.eof else self._member.unconsumed_tail


def _too_large() -> BodyError:
    return BodyError("it is too large for a receiver's answer")


class DamagedJsonError(ValueError):
    """The text is not JSON, or has an item of absurd size."""


class JsonItems:
    """Reads a long JSON list item by item, from pieces of text.

    The list stands under one key of the outermost object; everything else is skipped. For the guide
    of 200 services and 7 days, 50 MB, this takes 0.35 s and 10 MB of memory. Python's own `json`
    takes 0.3 s and 150 MB for the whole, orjson 0.2 s and 240 MB. ijson would be as fast and as
    small as this, but refuses the raw control characters that receivers write, and takes all memory
    there is for an answer of 100,000 brackets.
    """

    def __init__(self, key: str) -> None:
        self._begin = re.compile(rf'"{key}"\s*:\s*\[')
        # Not strict: receivers leave control characters in texts.
        self._decoder = json.JSONDecoder(strict=False)
        self._waiting = ""
        self._inside = False
        self.complete = False
        """Whether the list was read to its end."""

    def feed(self, piece: str) -> Iterator[object]:
        """Take the next piece of text, and yield the items that it completes.

        Exhaust the iterator before the next call. Raises `DamagedJsonError`.
        """
        if self.complete:
            return
        self._waiting += piece
        at = 0
        if not self._inside:
            begin = self._begin.search(self._waiting)
            self._inside = begin is not None
            at = begin.end() if begin else 0
        while self._inside:
            separators = _SEPARATORS.match(self._waiting, at)
            at = separators.end() if separators else at
            if self._waiting.startswith("]", at):
                self.complete = True
                break
            try:
                item, at = self._decoder.raw_decode(self._waiting, at)
            except json.JSONDecodeError:
                break
            except RecursionError as error:
                raise DamagedJsonError("it is nested too deeply") from error
            except ValueError as error:
                # A number of more digits than Python converts (sys.set_int_max_str_digits).
                raise DamagedJsonError("it has an invalid number") from error
            yield item
        self._waiting = self._waiting[at:]
        if len(self._waiting) > _ITEM_LIMIT_CHARS:
            raise DamagedJsonError("it is not JSON")


def decode(answer: bytes) -> str:
    """Decode the text of an answer: UTF-8, and Latin-1 where it is not valid UTF-8, since Python 2
    let that pass."""
    return answer.removeprefix(codecs.BOM_UTF8).decode("utf-8", _LATIN_1)


def incremental_decoder() -> codecs.IncrementalDecoder:
    """Return a decoder that does as `decode`, for an answer in pieces."""
    return codecs.getincrementaldecoder("utf-8-sig")(_LATIN_1)


def text(value: object, *, escaped: bool = False) -> str:
    """Parse a text: without control characters, composed (NFC), empty when the receiver has none.

    With `escaped`, HTML entities are resolved, which OpenWebif writes into the JSON of the guide.
    They are resolved once: `&amp;amp;` was broadcast as `&amp;`.
    """
    if value is None or isinstance(value, (dict, list)):
        return ""
    written = html.unescape(str(value)) if escaped else str(value)
    if not written.isprintable():
        written = _UNPRINTABLE.sub("", _LINE_BREAKS.sub("\n", written))
    written = written.strip()
    return "" if written == _NOT_KNOWN else unicodedata.normalize("NFC", written)


def number(value: object) -> int | None:
    """Parse a whole number; None for anything else."""
    match value:
        case int():
            return int(value)
        case float() if value.is_integer():
            return int(value)
        case str() if re.fullmatch(r"\s*-?[0-9]{1,18}\s*", value):
            return int(value)
    return None


def seconds(value: object) -> float | None:
    """Parse a time in seconds, whole or not; None for anything else."""
    if isinstance(value, str):
        return float(value) if re.fullmatch(r"\s*-?[0-9]{1,18}(\.[0-9]{1,18})?\s*", value) else None
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def flag(value: object) -> bool:
    """Parse a boolean; anything else is False."""
    return value is True or value == 1 or (isinstance(value, str) and value.lower() == "true")


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_LATIN_1, _as_latin_1)
