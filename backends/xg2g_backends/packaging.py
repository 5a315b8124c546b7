"""Video and audio as fragmented MP4, for HTTP Live Streaming."""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from weakref import finalize

from .embedded.shared_library import shared_library
from .errors import ClosedError


@dataclass(frozen=True, slots=True)
class VideoMedia:
    """Properties of video for a multivariant playlist."""

    width: int
    """Samples per row."""
    height: int
    aspect: tuple[int, int] | None
    """Width and height of a sample; None: square."""
    frame_rate: float | None
    """Frames per second, by the first part's time stamps; None where that has one frame."""
    is_interlaced: bool
    """Frames may consist of two fields."""


@dataclass(frozen=True, slots=True)
class SoundMedia:
    """Properties of an audio track for a multivariant playlist."""

    language: str | None
    """ISO 639-2 code, the terminological one where there are two. Broadcasters may send others."""
    is_description: bool
    """Audio description for viewers who cannot see the picture."""
    channels: int
    sample_rate: int
    """In Hz."""


@dataclass(frozen=True, slots=True)
class TextMedia:
    """Properties of teletext subtitles for a multivariant playlist.

    A segment has one part, a WebVTT file.
    """

    language: str | None
    """ISO 639-2 code as for audio; None where the broadcaster gives none."""
    is_hearing_impaired: bool
    """The subtitles describe sounds as well."""
    page: str
    """Teletext page of three hexadecimal digits, such as `888`."""


@dataclass(frozen=True, slots=True)
class ImageMedia:
    """Properties of DVB subtitles. A segment has one part, a JSON file of images."""

    language: str | None
    """ISO 639-2 code as for audio; None where the broadcaster gives none."""
    is_hearing_impaired: bool
    """The subtitles describe sounds as well."""
    width: int
    """Width of the display in which the images are placed, by the PMT. Each file repeats it."""
    height: int
    """Height of that display."""


Media = VideoMedia | SoundMedia | TextMedia | ImageMedia


@dataclass(frozen=True, slots=True)
class Header:
    """The initialisation segment of a rendition.

    It precedes the rendition's first part, and is repeated after every discontinuity. For subtitles
    it is repeated when their entry in the PMT changes, too.
    """

    rendition: str
    """`video`, `sound-<PID>`, `text-<PID>-<page>` or `images-<PID>-<page>`."""
    segment: int
    """Number of the first segment that uses it."""
    codecs: str
    """Codecs parameter of RFC 6381; empty for images."""
    timescale: int
    """Ticks per second of this rendition's times."""
    media: Media
    data: bytes
    """Empty for subtitles."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a segment: a fragment of MP4, or the file of a subtitle segment.

    The parts of a segment, concatenated, are the segment.
    """

    rendition: str
    segment: int
    """Number of the segment. Segments of the same number cover the same time in all renditions."""
    index: int
    """Number of the part in its segment, from 0."""
    decode_time: int
    """Decode time of the first sample in ticks. It does not wrap with the stream's time stamps."""
    duration: int
    """Duration in ticks."""
    is_independent: bool
    """The part begins with a sync sample."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """The end of a segment: all its parts were returned."""

    rendition: str
    number: int
    parts: int
    """Number of parts; 0: a gap, in which the rendition had no data."""
    decode_time: int
    """Decode time of the first sample in ticks."""
    duration: int
    """Duration in ticks."""


@dataclass(frozen=True, slots=True)
class Discontinuity:
    """A discontinuity: from `segment` on, every rendition has a new initialisation segment."""

    segment: int


@dataclass(frozen=True, slots=True)
class NotOffered:
    """A track of the program that is not packaged."""

    pid: int
    reason: str
    """`mpeg2_video`, `video_coding`, `sound_coding`, `parameters`, `no_random_access`,
    `no_pictures` or `unrelated_clock`; `transcoder/src/mp4/event.rs` explains them."""


Event = Header | Part | Segment | Discontinuity | NotOffered


class Packager:
    """A packager of one program of a remuxer's output for HTTP Live Streaming.

    Any split of the input gives the same events. The events of a rendition come in the order in
    which its files are to be published; audio of a segment may follow video of the next one.

    A packager runs in this process, whichever backend made the stream. It is a context manager;
    garbage collection closes it as well.
    """

    def __init__(
        self,
        *,
        program: int = 0,
        segment_ms: int = 2000,
        part_ms: int = 500,
        longest_ms: int = 30_000,
    ) -> None:
        """Prepare to package `program`, a service id; 0: the first program whose PMT arrives.

        `segment_ms`: target duration of segments, 500 to 20000. They end at random access points.
        `part_ms`: longest part, 200 to 5000.
        `longest_ms`: longest segment, 500 to 30000. A longer group of pictures is cut; the next
        segment then does not begin with a random access point.

        Raises `UnavailableError` when the library does not load, `InvalidArgumentError` for a value
        out of range.
        """
        self._library = shared_library()
        self._handle: int | None = self._library.open_packager(
            program, segment_ms, part_ms, longest_ms
        )
        self._close = finalize(self, self._library.free_packager, self._handle)

    def process(self, data: bytes) -> list[Event]:
        """Package the stream's next bytes. Return the events that are complete.

        Raises `ClosedError` after `close`, `FinishedError` after `finish`.
        """
        return _events(self._library.package(self._open_handle(), data))

    def finish(self) -> list[Event]:
        """End the stream. Return the remaining events.

        Raises `ClosedError` after `close`.
        """
        return _events(self._library.finish_package(self._open_handle()))

    def close(self) -> None:
        """Free the memory. Closing again does nothing."""
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
    """Return the event; None for an event of a later library."""
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
