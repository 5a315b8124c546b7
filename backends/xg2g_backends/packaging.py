"""Pictures and sound as fragments of MP4, for HTTP Live Streaming."""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from weakref import finalize

from .embedded.library import shared_library
from .errors import ClosedError


@dataclass(frozen=True, slots=True)
class VideoMedia:
    """What a multivariant playlist says of pictures."""

    width: int
    """Samples in a row."""
    height: int
    aspect: tuple[int, int] | None
    """Width and height of a sample where it is not square."""
    frame_rate: float | None
    """Frames in a second, by the first part's time stamps; None where that has one frame."""
    is_interlaced: bool
    """Whether frames may consist of two fields."""


@dataclass(frozen=True, slots=True)
class SoundMedia:
    """What a multivariant playlist says of sound."""

    language: str | None
    """ISO 639-2 code, the terminological one where there are two; as broadcast, it may be none."""
    is_description: bool
    """Whether it describes the picture to those who do not see it."""
    channels: int
    sample_rate: int
    """In Hz."""


@dataclass(frozen=True, slots=True)
class TextMedia:
    """What a multivariant playlist says of teletext subtitles. A segment is one part, a WebVTT
    file."""

    language: str | None
    """ISO 639-2 code as of sound; None where the broadcaster names none."""
    is_hearing_impaired: bool
    """Whether they tell of sounds as well."""
    page: str
    """The teletext page: three hexadecimal digits, as in `888`."""


@dataclass(frozen=True, slots=True)
class ImageMedia:
    """What is told of DVB subtitles. A segment is one part, a JSON file of images."""

    language: str | None
    """ISO 639-2 code as of sound; None where the broadcaster names none."""
    is_hearing_impaired: bool
    """Whether they tell of sounds as well."""
    width: int
    """Of the display to which the images' places refer, as far as the PMT tells it; each file says
    it anew."""
    height: int


Media = VideoMedia | SoundMedia | TextMedia | ImageMedia


@dataclass(frozen=True, slots=True)
class Header:
    """A rendition's initialisation segment. It precedes the rendition's first part, and comes again
    behind every discontinuity; of subtitles also where the PMT says something else of them."""

    rendition: str
    """`video`, `sound-<PID>`, `text-<PID>-<page>` or `images-<PID>-<page>`."""
    segment: int
    """The first segment to which it belongs."""
    codecs: str
    """As in RFC 6381; empty for images."""
    timescale: int
    """Ticks in a second of this rendition's times."""
    media: Media
    data: bytes
    """Empty for subtitles."""


@dataclass(frozen=True, slots=True)
class Part:
    """A fragment; of subtitles the file of a segment. A segment is its parts, one behind the
    other."""

    rendition: str
    segment: int
    """Segments of one number belong to one time in every rendition."""
    index: int
    """Its number in the segment, from 0."""
    decode_time: int
    """Of its first sample, in ticks; it goes on where the stream's time stamps wrap."""
    duration: int
    """In ticks."""
    is_independent: bool
    """Whether it begins with a sync sample."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """The parts of a segment are all there."""

    rendition: str
    number: int
    parts: int
    """How many; 0 is a gap: nothing came of the rendition in this time."""
    decode_time: int
    """Of its first sample, in ticks."""
    duration: int
    """In ticks."""


@dataclass(frozen=True, slots=True)
class Discontinuity:
    """From `segment` on every rendition has new initialisation segments."""

    segment: int


@dataclass(frozen=True, slots=True)
class NotOffered:
    """A track of the program is not packaged."""

    pid: int
    reason: str
    """`mpeg2_video`, `video_coding`, `sound_coding`, `parameters`, `no_random_access`,
    `no_pictures` or `unrelated_clock`; `transcoder/src/mp4/event.rs` explains them."""


Event = Header | Part | Segment | Discontinuity | NotOffered


class Packager:
    """Makes tracks for HTTP Live Streaming of one program of what a remuxer gives.

    Any split of the input gives the same events. A rendition's events come in the order in which
    its files are to be published; sound of a segment may come after pictures of the next one.

    It runs in this process, whichever backend made the stream. A context manager; forgetting it
    closes it too.
    """

    def __init__(
        self,
        *,
        program: int = 0,
        segment_ms: int = 2000,
        part_ms: int = 500,
        longest_ms: int = 30_000,
    ) -> None:
        """Prepare to package `program`, a service id; 0 is the first whose PMT comes.

        `segment_ms`: how long segments are where random access points allow it, 500 to 20000.
        `part_ms`: how long parts are at most, 200 to 5000.
        `longest_ms`: how long segments are at most, 500 to 30000. One whose group of pictures is
        longer ends within it; the next does not begin with a random access point then.

        Raises `UnavailableError` when the library does not load, `InvalidArgumentError` for what is
        out of range.
        """
        self._library = shared_library()
        self._handle: int | None = self._library.open_packager(
            program, segment_ms, part_ms, longest_ms
        )
        self._close = finalize(self, self._library.free_packager, self._handle)

    def process(self, data: bytes) -> list[Event]:
        """Return the events of the stream's next bytes.

        Raises `ClosedError` after `close`, `FinishedError` after `finish`.
        """
        return _events(self._library.package(self._open_handle(), data))

    def finish(self) -> list[Event]:
        """End the stream, and return the events that were held back.

        Raises `ClosedError` after `close`.
        """
        return _events(self._library.finish_package(self._open_handle()))

    def close(self) -> None:
        """Give the memory back. Closing again does nothing."""
        self._handle = None
        self._close()

    def _open_handle(self) -> int:
        if self._handle is None:
            raise ClosedError("the packager is closed")
        return self._handle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _events(taken: list[tuple[dict[str, Any], bytes]]) -> list[Event]:
    events = (_event(fields, data) for fields, data in taken)
    return [event for event in events if event is not None]


def _event(fields: dict[str, Any], data: bytes) -> Event | None:
    """Return the event; None for one that only a later library knows."""
    match fields.pop("event"):
        case "header":
            return Header(media=_media(fields.pop("media")), data=data, **fields)
        case "part":
            return Part(data=data, **fields)
        case "segment":
            return Segment(**fields)
        case "discontinuity":
            return Discontinuity(**fields)
        case "not_offered":
            return NotOffered(**fields)
    return None


def _media(fields: dict[str, Any]) -> Media:
    match fields.pop("kind"):
        case "sound":
            rate = fields.pop("sample_rate_hz")
            return SoundMedia(sample_rate=rate, **fields)
        case "text":
            return TextMedia(**fields)
        case "images":
            return ImageMedia(**fields)
    aspect, frames = fields.pop("aspect"), fields.pop("frames_per_1000_s")
    return VideoMedia(
        aspect=None if aspect is None else (aspect[0], aspect[1]),
        frame_rate=None if frames is None else frames / 1000,
        **fields,
    )
