"""The interface of every backend: a `Backend` opens `Remuxer`s."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from .errors import InvalidArgumentError
from .languages import is_language

SAMPLE_RATES_HZ = frozenset(
    (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
)
"""Sample rates that MPEG-4 AAC can signal (ISO/IEC 14496-3, table 1.18)."""

BITRATES_BPS = range(8_000, 576_001)
"""Accepted AAC bit rates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemuxOptions:
    """Options of one stream, as in transcoder/src/options.rs.

    >>> RemuxOptions(tracks=("deu", "eng"), bitrate=128_000).channels
    2

    Raises `InvalidArgumentError` for a value out of range.
    """

    sample_rate: int = 0
    """Output sample rate in Hz; 0: that of the source."""
    channels: int = 2
    """Output channels: 1, 2 or 6; 0: those of the source."""
    bitrate: int = 192_000
    """AAC bit rate in bit/s."""
    program: int = 0
    """Service id of the only program to keep; 0: every program."""
    tracks: Literal["all", "first"] | tuple[str, ...] = "all"
    """Audio tracks to keep: all, the first of the PMT, or one by language.

    Languages are ISO 639 codes in order of preference; without a match the first track is kept.
    `ger`, `deu` and `de` are the same language."""
    dual_mono: Literal["both", "left", "right"] = "both"
    """Channels to keep of a dual mono track, which has a programme in each channel.

    A mono output takes the left channel for "both". A language in `tracks` takes precedence."""
    keep_original: bool = False
    """Keep the source track and add the AAC track on a free PID."""
    generation: int = 0
    """Number of the remuxer within its stream: 0 for the first, one more after each splice.

    From 1 on the output marks a discontinuity on every PID, and its PAT and PMT have other
    versions, so that players follow them."""

    def __post_init__(self) -> None:
        if self.sample_rate != 0 and self.sample_rate not in SAMPLE_RATES_HZ:
            raise InvalidArgumentError(
                f"AAC has no sample rate of {self.sample_rate} Hz; "
                "use 0 (as the source), 48000, 44100 or 32000"
            )
        if self.channels not in (0, 1, 2, 6):
            raise InvalidArgumentError(
                f"invalid channels {self.channels}; use 0 (as the source), 1, 2 or 6"
            )
        if self.bitrate not in BITRATES_BPS:
            raise InvalidArgumentError(
                f"invalid bitrate {self.bitrate}; use {BITRATES_BPS[0]} to {BITRATES_BPS[-1]} bit/s"
            )
        if not 0 <= self.program <= 0xFFFF:
            raise InvalidArgumentError(
                f"invalid program {self.program}; use a service id to 65535, or 0 for every program"
            )
        if not 0 <= self.generation <= 0xFFFF_FFFF:
            raise InvalidArgumentError(
                f"invalid generation {self.generation}; use 0 to {0xFFFF_FFFF}"
            )
        if self.dual_mono not in ("both", "left", "right"):
            raise InvalidArgumentError(
                f'invalid dual_mono "{self.dual_mono}"; use "both", "left" or "right"'
            )
        if isinstance(self.tracks, str):
            if self.tracks not in ("all", "first"):
                raise InvalidArgumentError(
                    f'invalid tracks "{self.tracks}"; '
                    'use "all", "first" or a tuple of language codes'
                )
            return
        if not self.tracks:
            raise InvalidArgumentError('tracks is empty; use a language, "all" or "first"')
        for code in self.tracks:
            if not is_language(code):
                raise InvalidArgumentError(
                    f'invalid track language "{code}"; use an ISO 639 code such as "deu" or "de"'
                )


class TrackState(StrEnum):
    """State of an audio track."""

    WAITING = "waiting"
    CONVERTING = "converting"
    PASSING_AAC = "passing_aac"
    SCRAMBLED = "scrambled"
    UNSUPPORTED = "unsupported"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackStats:
    """Counters of one audio track; transcoder/src/stats.rs documents each."""

    pid: int
    program: int
    output_pid: int
    state: TrackState
    codec: str | None = None
    language: str | None = None
    frames_decoded: int = 0
    frames_encoded: int = 0
    decode_errors: int = 0
    silence_ms: int = 0
    scrambled_packets: int = 0
    continuity_errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemuxStats:
    """Counters of one stream; transcoder/src/stats.rs documents each."""

    bytes_in: int = 0
    bytes_out: int = 0
    packets_in: int = 0
    continuity_errors: int = 0
    transport_errors: int = 0
    resyncs: int = 0
    bytes_skipped: int = 0
    psi_errors: int = 0
    programs: tuple[int, ...] = ()
    tracks: tuple[TrackStats, ...] = ()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Parse the remuxer's JSON. Unknown counters are ignored."""
        known = _known(cls, values)
        known["programs"] = tuple(values.get("programs", ()))
        known["tracks"] = tuple(
            TrackStats(**{**_known(TrackStats, track), "state": TrackState(track["state"])})
            for track in values.get("tracks", ())
        )
        return cls(**known)


def _known(cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
    return {item.name: values[item.name] for item in fields(cls) if item.name in values}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendHealth:
    """State of a backend: whether it can be used now, and what runs there."""

    usable: bool
    detail: str
    """One line for a user: what runs, or the problem and its fix."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Component -> version; the remuxer is "xg2g-transcoder"."""
    open_remuxers: int = 0
    warnings: tuple[str, ...] = ()
    """Problems of a usable backend: one line each for a user."""


class PointKind(StrEnum):
    """Kind of a `Point`."""

    RANDOM_ACCESS = "random_access"
    """A picture at which a decoder can start."""
    DISCONTINUITY = "discontinuity"
    """Video is missing before this point, or another time base begins."""
    SOUND_BEGINS = "sound_begins"
    """The first access unit of an audio track."""
    SCRAMBLED = "scrambled"
    """The video is scrambled from here on; the audio, where no program has video."""
    CLEAR = "clear"
    """The scrambled payload is clear again."""
    TABLES_CHANGED = "tables_changed"
    """The PMT differs from the one before."""
    ENTRY = "entry"
    """A viewer may start here, without a picture at once: the program has no video, its video is
    missing, or there has been no random access point for a long time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A position in the output where a viewer can join, or where the stream changes."""

    offset: int
    """Offset in bytes from the beginning of the stream's output; a packet begins there.

    It may lie before the output of the call that returned the point: whether a decoder can start at
    a picture is known some packets later."""
    kind: PointKind
    program: int
    """Service id."""
    pts_90k: int | None = None
    """PTS of the PES packet at `offset`, 33 bits at 90 kHz."""
    codec: str | None = None
    """Video coding of a random access point: mpeg2, h264 or hevc."""
    is_open: bool = False
    """The pictures with an earlier PTS that follow do not decode for a viewer who starts here."""
    tables: bytes = field(default=b"", repr=False)
    """PAT and PMT packets that a viewer who starts at a random access point or an entry needs
    first; empty where the stream has none."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The output of one call of a remuxer: bytes of the stream, and points."""

    data: bytes = field(repr=False)
    points: tuple[Point, ...] = ()
    """Points in the order in which the remuxer found them, at most 1024; beyond that the oldest are
    missing. A broadcast has a few in a second. Their offsets count from the beginning of the
    stream's output, not of `data`."""

    @classmethod
    def joined(cls, pieces: Iterable[Self]) -> Self:
        """Return consecutive pieces as one."""
        pieces = tuple(pieces)
        if len(pieces) == 1:
            return pieces[0]
        data = b"".join(piece.data for piece in pieces)
        return cls(data, tuple(point for piece in pieces for point in piece.points))

    def shifted(self, output_bytes: int) -> Self:
        """Return the piece with `output_bytes` added to the offsets of its points.

        For a remuxer that continues a stream: `output_bytes` is the stream's output before it.
        """
        if not output_bytes or not self.points:
            return self
        moved = (replace(point, offset=point.offset + output_bytes) for point in self.points)
        return replace(self, points=tuple(moved))


class Remuxer(Protocol):
    """A converter of the audio of one stream, and an async context manager that closes itself.

    Any split of the same input gives the same output and points; only the pieces differ. No content
    of a stream is an error. Concurrent calls are served one after the other, in their order. A call
    that is cancelled leaves the remuxer in an unknown state: close it then.
    """

    async def process(self, chunk: bytes) -> Piece:
        """Convert the stream's next bytes. Return the output that is ready, which may be empty.

        Raises `FinishedError` after `finish`, `ClosedError` after `aclose`.
        """
        ...

    async def finish(self) -> Piece:
        """End the stream. Return the rest of the output; a second call returns an empty piece."""
        ...

    async def stats(self) -> RemuxStats:
        """Return the counters so far."""
        ...

    async def aclose(self) -> None:
        """Release the remuxer once no call is running. Closing again does nothing."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Backend(Protocol):
    """A place where remuxers run: in this process, or in transcoder services.

    >>> async def convert(backend: Backend, chunks: Iterable[bytes]) -> bytes:
    ...     async with await backend.open(RemuxOptions(bitrate=128_000)) as remuxer:
    ...         output = [(await remuxer.process(chunk)).data for chunk in chunks]
    ...         return b"".join([*output, (await remuxer.finish()).data])
    """

    @property
    def name(self) -> str:
        """Short name for logs and metrics."""
        ...

    async def open(self, options: RemuxOptions) -> Remuxer:
        """Open a remuxer for one stream. The caller closes it.

        Raises `UnavailableError` when the backend cannot be used, `InvalidArgumentError` for
        options that it refuses.
        """
        ...

    async def check(self) -> BackendHealth:
        """Check whether `open` would succeed. Does not raise when the backend is unavailable."""
        ...

    async def aclose(self) -> None:
        """Close the backend. The owners of open remuxers close those themselves."""
        ...
