"""The interface that every backend offers: a `Backend` opens `Remuxer`s."""

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
"""Rates that MPEG-4 AAC can signal (ISO/IEC 14496-3, table 1.18)."""

BITRATES_BPS = range(8_000, 576_001)
"""AAC bit rates that are accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemuxOptions:
    """What the caller chooses for a stream. Raises `InvalidArgumentError` for a value out of range.

    These are the options of transcoder/src/options.rs.
    """

    sample_rate: int = 0
    """Output sample rate in Hz; 0 keeps the source's."""
    channels: int = 2
    """Output channels: 1, 2 or 6; 0 keeps the source's."""
    bitrate: int = 192_000
    """AAC bit rate in bit/s."""
    program: int = 0
    """Service id of the one program to keep; 0 keeps every program."""
    tracks: Literal["all", "first"] | tuple[str, ...] = "all"
    """Every audio track, the PMT's first alone, or the one that matches the earliest of these
    ISO 639 codes alone (the first when none matches). `ger`, `deu` and `de` are one language."""
    dual_mono: Literal["both", "left", "right"] = "both"
    """Which channels are heard of a track with a programme in either channel; of both, one channel
    has room for the left one alone. A language that `tracks` names comes first."""
    keep_original: bool = False
    """Leave the source track in and add the AAC track on a free PID."""
    generation: int = 0
    """Which of a stream's remuxers this is: 0 for the first; one more for each that goes on where
    another was lost. From 1 on the output marks the discontinuity on every PID, and its PAT and PMT
    have other versions, so that players follow them."""

    def __post_init__(self) -> None:
        if self.sample_rate != 0 and self.sample_rate not in SAMPLE_RATES_HZ:
            raise InvalidArgumentError(
                f"sample rate {self.sample_rate} is not a rate of AAC; "
                "use 0 (as the source), 48000, 44100 or 32000"
            )
        if self.channels not in (0, 1, 2, 6):
            raise InvalidArgumentError(
                f"channels {self.channels} is not possible; use 0 (as the source), 1, 2 or 6"
            )
        if self.bitrate not in BITRATES_BPS:
            raise InvalidArgumentError(
                f"bitrate {self.bitrate} is not possible; "
                f"use {BITRATES_BPS[0]} to {BITRATES_BPS[-1]} bit/s"
            )
        if not 0 <= self.program <= 0xFFFF:
            raise InvalidArgumentError(
                f"program {self.program} is not a service id; use 0 (every program) to 65535"
            )
        if not 0 <= self.generation <= 0xFFFF_FFFF:
            raise InvalidArgumentError(
                f"generation {self.generation} is not possible; use 0 to {0xFFFF_FFFF}"
            )
        if self.dual_mono not in ("both", "left", "right"):
            raise InvalidArgumentError(
                f'dual_mono "{self.dual_mono}" is not possible; use "both", "left" or "right"'
            )
        if isinstance(self.tracks, str):
            if self.tracks not in ("all", "first"):
                raise InvalidArgumentError(
                    f'tracks "{self.tracks}" is not possible; '
                    'use "all", "first" or a tuple of language codes'
                )
            return
        if not self.tracks:
            raise InvalidArgumentError("tracks names no language; use at least one, or all")
        for code in self.tracks:
            if not is_language(code):
                raise InvalidArgumentError(
                    f'track language "{code}" is not an ISO 639 code such as "deu" or "de"'
                )


class TrackState(StrEnum):
    """What is done with an audio track."""

    WAITING = "waiting"
    CONVERTING = "converting"
    PASSING_AAC = "passing_aac"
    SCRAMBLED = "scrambled"
    UNSUPPORTED = "unsupported"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackStats:
    """Counters of one audio track; transcoder/src/stats.rs says what each counts."""

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
    """Counters of one stream; transcoder/src/stats.rs says what each counts."""

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
        """Read the remuxer's own JSON. Counters that this version does not know are left out."""
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
    """Whether a backend can be used now, and what runs there."""

    usable: bool
    detail: str
    """One line for a user: what runs, or why nothing does and what to do."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Component -> version, the remuxer's own under "xg2g-transcoder"."""
    open_remuxers: int = 0
    warnings: tuple[str, ...] = ()
    """What is wrong though the backend can be used: each one line for a user."""


class PointKind(StrEnum):
    """What is at a place in the output."""

    RANDOM_ACCESS = "random_access"
    """A picture with which a decoder can begin."""
    DISCONTINUITY = "discontinuity"
    """Video is missing before it, or another time base begins."""
    SOUND_BEGINS = "sound_begins"
    """The first sound of a track."""
    SCRAMBLED = "scrambled"
    """From here on the video is scrambled; where no program has video, the sound."""
    CLEAR = "clear"
    """What was scrambled is clear again."""
    TABLES_CHANGED = "tables_changed"
    """A PMT that differs from the one before it."""
    ENTRY = "entry"
    """A place where a viewer may begin although nothing promises a picture: there is no video, or
    it does not come, or no random access point has come for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place in the output where a viewer can join, or where the stream changes."""

    offset: int
    """Bytes of output before it, counted from the stream's first: a packet begins there. It may lie
    before what the call gave that told of it: whether a decoder can begin with a picture is known
    some packets later."""
    kind: PointKind
    program: int
    """Service id."""
    pts_90k: int | None = None
    """PTS of the PES packet that begins there, 33 bits."""
    codec: str | None = None
    """Coding of a random access point's video: mpeg2, h264 or hevc."""
    is_open: bool = False
    """Pictures follow that do not decode for who begins here: those with an earlier PTS."""
    tables: bytes = field(default=b"", repr=False)
    """Packets of PAT and PMT for a random access point or an entry: who begins there reads them
    first. Empty where the stream has none."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The next bytes of a remuxer's output, and the points that were found meanwhile."""

    data: bytes = field(repr=False)
    points: tuple[Point, ...] = ()
    """In the order in which the remuxer found them. The offsets count from the stream's first byte
    of output, not from the first of `data`. A call brings at most 1024, where a broadcast has a few
    in a second; of more, the oldest are left out."""

    @classmethod
    def joined(cls, pieces: Iterable[Self]) -> Self:
        """Return successive pieces as one."""
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
    """Converts the audio of one stream. An async context manager; leaving it closes.

    Any split of the same input gives the same output and the same points, but for the pieces in
    which they come. Stream content is never an error. Calls
    made at the same time are served one after the other, in the order in which they were made.
    A call that is cancelled leaves the remuxer in an unknown state: close it.
    """

    async def process(self, chunk: bytes) -> Piece:
        """Take the stream's next bytes and return what can leave, which may be nothing.

        Raises `FinishedError` after `finish` and `ClosedError` after `aclose`.
        """
        ...

    async def finish(self) -> Piece:
        """End the stream and return what was still held; nothing when called again."""
        ...

    async def stats(self) -> RemuxStats:
        """Return the counters so far."""
        ...

    async def aclose(self) -> None:
        """Give everything back, once no call is inside. Closing again does nothing."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Backend(Protocol):
    """A place where remuxers run."""

    @property
    def name(self) -> str:
        """Short name for logs and metrics."""
        ...

    async def open(self, options: RemuxOptions) -> Remuxer:
        """Make a remuxer for one stream. The caller closes it.

        Raises `UnavailableError` when the backend cannot be used, `InvalidArgumentError` when it
        refuses the options.
        """
        ...

    async def check(self) -> BackendHealth:
        """Find out whether `open` would succeed. Never raises for a backend that is down."""
        ...

    async def aclose(self) -> None:
        """Close the backend. Remuxers still open have to be closed by their owners."""
        ...
