"""A presentation with a short way to feed it."""

from datetime import UTC, datetime

from xg2g.outputs.hls.media_playlist import media
from xg2g.outputs.hls.options import Targets
from xg2g.outputs.hls.presentation import Presentation
from xg2g.outputs.hls.storage import MemoryStorage
from xg2g_backends.packaging import (
    Event,
    Header,
    ImageMedia,
    Media,
    Part,
    Segment,
    SoundMedia,
    TextMedia,
    VideoMedia,
)

VIDEO = VideoMedia(1440, 1080, (4, 3), 25.0, is_interlaced=True)


GERMAN = SoundMedia("deu", is_description=False, channels=2, sample_rate=48000)


DESCRIPTION = SoundMedia("deu", is_description=True, channels=2, sample_rate=48000)


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def scale(name: str) -> int:
    return 48000 if name.startswith("sound-") else 90000


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class Stream:
    """A presentation with a short way to feed it. The packager counts from 0, playlists from 3."""

    def __init__(
        self,
        window_s: float = 300,
        expects: tuple[str, ...] = (),
        group_s: float | None = 2.0,
    ) -> None:
        self.clock = Clock()
        self.presentation = Presentation(
            MemoryStorage(),
            targets=Targets.of(2, 0.333, group_s),
            window_s=window_s,
            run="0123abcd",
            now_utc=self.clock,
            expects=expects,
        )

    def take(self, *events: Event) -> None:
        for event in events:
            self.presentation.take(event)

    def header(self, name: str = "video", segment: int = 0) -> None:
        kinds: dict[str, Media] = {
            "video": VIDEO,
            "sound-515": DESCRIPTION,
            "text-520-888": TextMedia("deu", is_hearing_impaired=True, page="888"),
            "images-521-1": ImageMedia(None, is_hearing_impaired=False, width=720, height=576),
        }
        kind = kinds.get(name, GERMAN)
        codecs = {"video": "avc1.640028", "sound": "mp4a.40.2", "text": "wvtt"}
        data = b"header" if isinstance(kind, VideoMedia | SoundMedia) else b""
        coding = codecs.get(name.partition("-")[0], "")
        self.take(Header(name, segment, coding, scale(name), kind, data))

    def part(self, segment: int, index: int, s: float = 0.32, name: str = "video") -> None:
        at = round((2 * segment + 0.32 * index) * scale(name))
        data = f"{name} {segment}.{index};".encode()
        self.take(Part(name, segment, index, at, round(s * scale(name)), index == 0, data))

    def segment(self, number: int, name: str = "video", s: float = 2.0) -> None:
        for index in range(7):
            self.part(number, index, 0.32 if index < 6 else s - 1.92, name)
        self.end(number, name, s)

    def end(self, number: int, name: str = "video", s: float = 2.0, parts: int = 7) -> None:
        ticks = scale(name)
        self.take(Segment(name, number, parts, 2 * number * ticks, round(s * ticks)))

    def text(self, name: str = "video") -> str:
        return media(self.presentation, name)


def dates(text: str) -> list[datetime]:
    lines = [line for line in text.splitlines() if line.startswith("#EXT-X-PROGRAM-DATE-TIME:")]
    return [datetime.fromisoformat(line.partition(":")[2]) for line in lines]


def announced(group_s: float | None) -> str:
    stream = Stream(group_s=group_s)
    stream.header()
    stream.part(0, 0)
    return stream.text()
