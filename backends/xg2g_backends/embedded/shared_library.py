"""The library, loaded and checked once, with a method for each function of its C ABI."""

import ctypes
import json
import os
import sys
from ctypes import byref, c_int, c_size_t, c_void_p
from functools import cache
from pathlib import Path
from typing import Any, Final

from ..base import Point, RemuxOptions
from ..errors import InvalidArgumentError, UnavailableError, error_for
from . import _abi

LIBRARY_VARIABLE: Final = "XG2G_LIBRARY"
"""Environment variable with the path of a library to load instead of the installed one."""

FILE_NAMES: Final = {"darwin": "libxg2g_transcoder.dylib", "win32": "xg2g_transcoder.dll"}
"""Platform -> file name that cargo gives the library."""


def file_name(platform: str = sys.platform) -> str:
    """Return the library's file name on a platform, named as in `sys.platform`."""
    return FILE_NAMES.get(platform, "libxg2g_transcoder.so")


def library_path() -> Path:
    """Return the path of the library to load: that of `XG2G_LIBRARY`, or the installed one."""
    return Path(os.environ.get(LIBRARY_VARIABLE) or Path(__file__).with_name(file_name()))


class Library:
    """The library, loaded and checked. A failed call raises the exception of its error number.

    `CDLL` releases the GIL during a call. A handle must not be freed while a call on it is running:
    the call copies memory of the handle.
    """

    def __init__(self, path: Path) -> None:
        """Load the library. Raises `UnavailableError` when it does not load or has another ABI."""
        try:
            library = ctypes.CDLL(str(path))
        except OSError as error:
            raise UnavailableError(
                f"the remuxer's library does not load ({error}); build it with `make build`"
            ) from error
        found = library.xg2g_abi_version() if hasattr(library, "xg2g_abi_version") else 0
        if found != _abi.ABI_VERSION:
            raise UnavailableError(
                f"{path} has ABI version {found}, xg2g needs {_abi.ABI_VERSION}; "
                "rebuild it with `make build`"
            )
        for name, (result, arguments) in _abi.PROTOTYPES.items():
            function = getattr(library, name, None)
            if function is None:
                raise UnavailableError(
                    f"{path} is older than xg2g: {name} is missing; rebuild it with `make build`"
                )
            function.restype, function.argtypes = result, arguments
        self._library = library

    def versions(self) -> dict[str, str]:
        """Return component -> version."""
        versions: dict[str, str] = json.loads(self._library.xg2g_version())
        return versions

    def open_streams(self) -> int:
        """Return the number of open streams in this process, of all users of the library."""
        return int(self._library.xg2g_open_streams())

    def open(self, options: RemuxOptions) -> int:
        """Open a stream and return its handle, which the caller frees."""
        tracks = options.tracks if isinstance(options.tracks, str) else ",".join(options.tracks)
        error, text = c_int(), ctypes.create_string_buffer(256)
        handle: int | None = self._library.xg2g_audio_remux_init_with_options(
            byref(
                _abi.Options(
                    size=ctypes.sizeof(_abi.Options),
                    sample_rate_hz=options.sample_rate,
                    channels=options.channels,
                    bitrate_bps=options.bitrate,
                    program=options.program,
                    keep_original=options.keep_original,
                    generation=options.generation,
                    tracks=tracks.encode(),
                    dual_mono=options.dual_mono.encode(),
                )
            ),
            byref(error),
            text,
            len(text),
        )
        if handle is None:
            raise error_for(error.value, text.value.decode(errors="replace"))
        return handle

    def process(self, handle: int, chunk: bytes) -> bytes:
        """Convert the stream's next bytes. Return the output that is ready."""
        output, length = c_void_p(), c_size_t()
        code = self._library.xg2g_audio_remux_process_view(
            handle, chunk, len(chunk), byref(output), byref(length)
        )
        self._check(handle, code)
        return ctypes.string_at(output, length.value)

    def finish(self, handle: int) -> bytes:
        """End the stream. Return the rest of the output."""
        output, length = c_void_p(), c_size_t()
        code = self._library.xg2g_audio_remux_finish_view(handle, byref(output), byref(length))
        self._check(handle, code)
        return ctypes.string_at(output, length.value)

    def points(self, handle: int) -> tuple[Point, ...]:
        """Return and remove the points found since the last call."""
        points: list[Point] = []
        record = _abi.PointRecord(size=_abi.POINT_RECORD_BYTES)
        # Most chunks have no point: they cost one call and one allocation.
        tables, room = None, 0
        while True:
            code = self._library.xg2g_audio_remux_next_point(handle, byref(record), tables, room)
            if code == 0:
                return tuple(points)
            if code == _abi.OUTPUT_TOO_SMALL:
                room = record.tables_len
                tables = ctypes.create_string_buffer(room)
                continue
            self._check(handle, code)
            if record.kind < len(_abi.POINT_KINDS):
                held = b"" if tables is None else ctypes.string_at(tables, record.tables_len)
                points.append(_point(record, held))

    def stats(self, handle: int) -> dict[str, Any]:
        """Return the stream's counters."""
        length = self._library.xg2g_audio_remux_stats(handle, None, 0)
        self._check(handle, length)
        text = ctypes.create_string_buffer(length + 1)
        self._library.xg2g_audio_remux_stats(handle, text, len(text))
        stats: dict[str, Any] = json.loads(text.value)
        return stats

    def free(self, handle: int) -> None:
        """Close the stream."""
        self._library.xg2g_audio_remux_free(handle)

    def open_joiner(self, point: Point, *, after_gap: bool) -> int:
        """Make a joiner and return its handle, which the caller frees."""
        record = _abi.PointRecord(
            size=ctypes.sizeof(_abi.PointRecord),
            offset=point.offset,
            pts_90k=_abi.NO_PTS if point.pts_90k is None else point.pts_90k,
            kind=_abi.POINT_KINDS.index(point.kind),
            program=point.program,
            codec=_abi.VIDEO_CODECS.index(point.codec),
            is_open=point.is_open,
            tables_len=len(point.tables),
        )
        handle: int | None = self._library.xg2g_joiner_init(byref(record), point.tables, after_gap)
        if handle is None:
            raise InvalidArgumentError(
                f"cannot join at {point}; use a random access point or an entry"
            )
        return handle

    def join(self, joiner: int, data: bytes, more_bytes: int) -> bytes:
        """Pass the stream's next bytes through a joiner.

        The output has at most twice as many bytes, two packets and `more_bytes`.
        """
        output = ctypes.create_string_buffer(2 * (len(data) + _abi.PACKET_BYTES) + more_bytes)
        written = self._library.xg2g_joiner_process(joiner, data, len(data), output, len(output))
        self._count(written)
        return ctypes.string_at(output, written)

    def has_joined(self, joiner: int) -> bool:
        """Return True once a joiner returns its input unchanged."""
        return bool(self._count(self._library.xg2g_joiner_is_over(joiner)))

    def free_joiner(self, joiner: int) -> None:
        """Close a joiner."""
        self._library.xg2g_joiner_free(joiner)

    def open_packager(self, program: int, segment_ms: int, part_ms: int, longest_ms: int) -> int:
        """Make a packager and return its handle, which the caller frees."""
        handle: int | None = self._library.xg2g_packager_init(
            program, segment_ms, part_ms, longest_ms
        )
        if handle is None:
            raise InvalidArgumentError(
                f"invalid packager options: program {program}, segment_ms {segment_ms}, "
                f"part_ms {part_ms}, longest_ms {longest_ms}; use a service id to 65535, and "
                "durations as Packager documents them"
            )
        return handle

    def package(self, packager: int, data: bytes) -> list[tuple[dict[str, Any], bytes]]:
        """Pass the stream's next bytes to a packager. Return its events: fields and data."""
        self._count(self._library.xg2g_packager_process(packager, data, len(data)))
        return self._events(packager)

    def finish_package(self, packager: int) -> list[tuple[dict[str, Any], bytes]]:
        """End a packager's stream. Return the remaining events."""
        self._count(self._library.xg2g_packager_finish(packager))
        return self._events(packager)

    def _events(self, packager: int) -> list[tuple[dict[str, Any], bytes]]:
        events: list[tuple[dict[str, Any], bytes]] = []
        text, length, data, size = c_void_p(), c_size_t(), c_void_p(), c_size_t()
        while True:
            code = self._library.xg2g_packager_next_event(
                packager, byref(text), byref(length), byref(data), byref(size)
            )
            self._count(code)
            if code == 0:
                return events
            fields: dict[str, Any] = json.loads(ctypes.string_at(text, length.value))
            events.append((fields, ctypes.string_at(data, size.value)))

    def free_packager(self, packager: int) -> None:
        """Close a packager."""
        self._library.xg2g_packager_free(packager)

    def splice_lead(self, past: bytes, program: int, *, after_gap: bool) -> bytes:
        """Return the input that a new handle needs before the bytes that follow `past`."""
        output = ctypes.create_string_buffer(len(past))
        count = self._library.xg2g_splice_lead(
            past, len(past), program, after_gap, output, len(output)
        )
        return ctypes.string_at(output, self._count(count))

    def splice_keep_video(self, past: bytes, body: bytes, program: int) -> tuple[bytes, int] | None:
        """Return the video packets of `body`, which follows `past`, and the bytes that it drops.

        None: video cannot be identified.
        """
        output, given_up = ctypes.create_string_buffer(len(body)), c_size_t()
        count = self._library.xg2g_splice_keep_video(
            past, len(past), body, len(body), program, output, len(output), byref(given_up)
        )
        if self._count(count) == 0:
            return None
        return ctypes.string_at(output, count), given_up.value

    def splice_first_packet(self, data: bytes) -> int:
        """Return the offset of the first packet; the length of `data` when there is none."""
        return self._count(self._library.xg2g_splice_first_packet(data, len(data)))

    def _count(self, code: int) -> int:
        if code < 0:
            name: bytes = self._library.xg2g_error_name(code) or b"error"
            raise error_for(code, name.decode())
        return code

    def _check(self, handle: int, code: int) -> None:
        if code < 0:
            name: bytes = self._library.xg2g_error_name(code) or b"error"
            length = self._library.xg2g_audio_remux_last_error(handle, None, 0)
            text = ctypes.create_string_buffer(max(length, 0) + 1)
            self._library.xg2g_audio_remux_last_error(handle, text, len(text))
            why = text.value.decode(errors="replace")
            raise error_for(code, f"{name.decode()}: {why}" if why else name.decode())


@cache
def loaded(path: Path) -> Library:
    """Return the library at `path`, loading it at the first call. Raises `UnavailableError`."""
    return Library(path)


def _point(record: _abi.PointRecord, tables: bytes) -> Point:
    return Point(
        offset=record.offset,
        kind=_abi.POINT_KINDS[record.kind],
        program=record.program,
        pts_90k=None if record.pts_90k == _abi.NO_PTS else record.pts_90k,
        codec=_abi.VIDEO_CODECS[record.codec],
        is_open=bool(record.is_open),
        tables=tables,
    )


def shared_library() -> Library:
    """Return the library at `library_path()`. Every backend uses it, for joiners and splices.

    Raises `UnavailableError` when it does not load or has another ABI.
    """
    return loaded(library_path())
