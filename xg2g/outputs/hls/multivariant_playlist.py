"""The multivariant playlist (draft-pantos-hls-rfc8216bis-22, 4.4.6)."""

from collections.abc import Iterable, Iterator
from math import ceil

from xg2g_backends.packaging import ImageMedia, Media, SoundMedia, TextMedia, VideoMedia

from . import languages
from .presentation import Presentation
from .rendition import Rendition

_PEAK_HEADROOM = 1.5
"""Factor from the measured peak to BANDWIDTH: later scenes may need more."""

_AVERAGE_HEADROOM = 1.1

_STEREO = 2

_SOUNDS = "sound"
_TEXTS = "text"

_DESCRIPTION = "public.accessibility.describes-video"
_HARD_OF_HEARING = (
    "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"
)


def multivariant(presentation: Presentation) -> str:
    """Return the playlist of all renditions: one variant, with every sound and all subtitles. URIs
    are relative to the folder above the run's. It has no variant while nothing has come."""
    presentation.settle()
    return "\n".join(_lines(presentation)) + "\n"


def _lines(presentation: Presentation) -> Iterator[str]:
    listed = list(presentation.current())
    main = presentation.main
    sounds = sorted((r for r in listed if isinstance(r.media, SoundMedia)), key=_order)
    yield "#EXTM3U"
    yield "#EXT-X-VERSION:6"
    yield "#EXT-X-INDEPENDENT-SEGMENTS"
    if main is None:
        return
    if isinstance(main.media, VideoMedia) and main.media.is_interlaced:
        yield '#EXT-X-SESSION-DATA:DATA-ID="org.xg2g.interlaced",VALUE="yes"'
    images = [f"{r.name}:{_image(r.media)}" for r in listed if isinstance(r.media, ImageMedia)]
    if images:
        yield f'#EXT-X-SESSION-DATA:DATA-ID="org.xg2g.images",VALUE="{",".join(images)}"'
    texts = [r for r in listed if isinstance(r.media, TextMedia)]
    for group in (sounds, texts):
        names = distinct([name_of(rendition.media) for rendition in group])
        told: list[tuple[str | None, str | None]] = []
        for rendition, name in zip(group, names, strict=True):
            uri = f"{presentation.run}/{rendition.name}.m3u8"
            yield "#EXT-X-MEDIA:" + ",".join(_media(rendition.media, name, uri, told))
    if not isinstance(main.media, VideoMedia) and sounds:
        main = sounds[0]
    yield "#EXT-X-STREAM-INF:" + ",".join(_variant(main, sounds, texts))
    yield f"{presentation.run}/{main.name}.m3u8"


def _order(rendition: Rendition) -> tuple[bool, int]:
    media = rendition.media
    is_description = isinstance(media, SoundMedia) and media.is_description
    return is_description, int(rendition.name.partition("-")[2] or 0)


def name_of(media: Media) -> str:
    """Return the name of a sound or of subtitles for menus."""
    if isinstance(media, VideoMedia):
        return "Picture"
    name = languages.name(media.language) or languages.tag(media.language)
    if isinstance(media, SoundMedia):
        name = name or "Sound"
        return f"{name} (audio description)" if media.is_description else name
    name = name or "Subtitles"
    return f"{name} (hard of hearing)" if media.is_hearing_impaired else name


def distinct(names: list[str]) -> list[str]:
    """Return the names, repeated ones with a number: names in a group are unique (4.4.6.1.1)."""
    given: list[str] = []
    for name in names:
        number, wanted = 1, _quotable(name)
        candidate = wanted
        while candidate in given:
            number += 1
            candidate = f"{wanted} {number}"
        given.append(candidate)
    return given


def _media(
    media: Media, name: str, uri: str, told: list[tuple[str | None, str | None]]
) -> Iterator[str]:
    """Give the attributes of a sound or of subtitles. `told` are those before it in the group: the
    first sound is the default, and a language selects only the first of its renditions (4.4.6.1.1).
    """
    assert isinstance(media, SoundMedia | TextMedia)
    is_sound, tag = isinstance(media, SoundMedia), languages.tag(media.language)
    characteristics = _characteristics(media)
    is_first, is_new = not told, (tag, characteristics) not in told
    told.append((tag, characteristics))
    yield "TYPE=AUDIO" if is_sound else "TYPE=SUBTITLES"
    yield f'GROUP-ID="{_SOUNDS if is_sound else _TEXTS}"'
    yield f'NAME="{name}"'
    if tag is not None:
        yield f'LANGUAGE="{tag}"'
    yield f"DEFAULT={'YES' if is_sound and is_first else 'NO'}"
    yield f"AUTOSELECT={'YES' if is_new else 'NO'}"
    if isinstance(media, SoundMedia):
        yield f'CHANNELS="{media.channels or _STEREO}"'
    if characteristics is not None:
        yield f'CHARACTERISTICS="{characteristics}"'
    yield f'URI="{uri}"'


def _characteristics(media: SoundMedia | TextMedia) -> str | None:
    if isinstance(media, SoundMedia):
        return _DESCRIPTION if media.is_description else None
    return _HARD_OF_HEARING if media.is_hearing_impaired else None


def _image(media: ImageMedia) -> str:
    language = languages.tag(media.language) or ""
    return f"{language}:hearing-impaired" if media.is_hearing_impaired else language


def _variant(main: Rendition, sounds: list[Rendition], texts: list[Rendition]) -> Iterator[str]:
    others = [sound for sound in sounds if sound is not main]
    peak, average = main.peak_bps, _average(main)
    for group in (others, texts):
        peak += max((rendition.peak_bps for rendition in group), default=0.0)
        average += max((_average(rendition) for rendition in group), default=0.0)
    peak *= _PEAK_HEADROOM
    yield f"BANDWIDTH={_bits(peak)}"
    yield f"AVERAGE-BANDWIDTH={_bits(min(average * _AVERAGE_HEADROOM, peak))}"
    yield f'CODECS="{",".join(_codecs([main, *others]))}"'
    if isinstance(main.media, VideoMedia):
        yield f"RESOLUTION={_resolution(main.media)}"
        if main.media.frame_rate is not None:
            yield f"FRAME-RATE={main.media.frame_rate:.3f}"
    if sounds:
        yield f'AUDIO="{_SOUNDS}"'
    if texts:
        yield f'SUBTITLES="{_TEXTS}"'
    yield "CLOSED-CAPTIONS=NONE"


def _average(rendition: Rendition) -> float:
    whole = 8 * rendition.total_bytes / rendition.total_s if rendition.total_s else 0.0
    return whole or rendition.peak_bps


def _bits(bps: float) -> int:
    return ceil(bps / 1000) * 1000


def _codecs(renditions: Iterable[Rendition]) -> list[str]:
    """Return the formats of all listed segments (6.2.4), the newest of each rendition first.
    WebVTT has none."""
    found = [h.codecs for r in renditions for h in reversed(r.headers) if h.codecs]
    return list(dict.fromkeys(found))


def _resolution(media: VideoMedia) -> str:
    """Return the display size of the picture, in square samples."""
    width, height = media.width, media.height
    if media.aspect is not None and 0 not in media.aspect:
        width = ceil(width * media.aspect[0] / media.aspect[1])
    return f"{width}x{height}"


def _quotable(text: str) -> str:
    """Return a quoted-string's text: without quotes and control characters (4.2)."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.replace('"', "'").split())
