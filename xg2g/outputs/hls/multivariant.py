"""The multivariant playlist (draft-pantos-hls-rfc8216bis-22, 4.4.6)."""

from collections.abc import Iterable, Iterator
from math import ceil

from xg2g_backends.packaging import SoundMedia, VideoMedia

from . import languages
from .presentation import Presentation, Rendition

_PEAK_HEADROOM = 1.5
"""What was measured, to what is told: later scenes may need more."""

_AVERAGE_HEADROOM = 1.1

_STEREO = 2


def multivariant(presentation: Presentation) -> str:
    """Return the playlist of all renditions: one variant, with every sound. URIs are relative to
    the folder above the run's. Without a variant while nothing has come."""
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
    names = distinct([sound_name(sound.media) for sound in sounds])
    told: list[tuple[str | None, bool]] = []
    for sound, name in zip(sounds, names, strict=True):
        uri = f"{presentation.run}/{sound.name}.m3u8"
        yield "#EXT-X-MEDIA:" + ",".join(_sound(sound.media, name, uri, told))
    if not isinstance(main.media, VideoMedia) and sounds:
        main = sounds[0]
    yield "#EXT-X-STREAM-INF:" + ",".join(_variant(main, sounds))
    yield f"{presentation.run}/{main.name}.m3u8"


def _order(rendition: Rendition) -> tuple[bool, int]:
    media = rendition.media
    is_description = isinstance(media, SoundMedia) and media.is_description
    return is_description, int(rendition.name.partition("-")[2] or 0)


def sound_name(media: object) -> str:
    """Return what a menu calls a sound."""
    if not isinstance(media, SoundMedia):
        return "Sound"
    name = languages.name(media.language) or languages.tag(media.language) or "Sound"
    if media.is_description:
        name += " (audio description)"
    return name


def distinct(names: list[str]) -> list[str]:
    """Return the names, with a number where one comes again: none may stand twice in a group
    (4.4.6.1.1)."""
    given: list[str] = []
    for name in names:
        number, wanted = 1, _quotable(name)
        candidate = wanted
        while candidate in given:
            number += 1
            candidate = f"{wanted} {number}"
        given.append(candidate)
    return given


def _sound(
    media: object, name: str, uri: str, told: list[tuple[str | None, bool]]
) -> Iterator[str]:
    """Give the attributes of a sound. `told` are those before it in the group: the first is the
    default, and none is selected by a language that another has (4.4.6.1.1)."""
    assert isinstance(media, SoundMedia)
    is_default, is_new = not told, (media.language, media.is_description) not in told
    told.append((media.language, media.is_description))
    yield "TYPE=AUDIO"
    yield 'GROUP-ID="sound"'
    yield f'NAME="{name}"'
    if (tag := languages.tag(media.language)) is not None:
        yield f'LANGUAGE="{tag}"'
    yield f"DEFAULT={'YES' if is_default else 'NO'}"
    yield f"AUTOSELECT={'YES' if is_new else 'NO'}"
    yield f'CHANNELS="{media.channels or _STEREO}"'
    if media.is_description:
        yield 'CHARACTERISTICS="public.accessibility.describes-video"'
    yield f'URI="{uri}"'


def _variant(main: Rendition, sounds: list[Rendition]) -> Iterator[str]:
    others = [sound for sound in sounds if sound is not main]
    loudest = max((sound.peak_bps for sound in others), default=0.0)
    peak = (main.peak_bps + loudest) * _PEAK_HEADROOM
    average = _average(main) + max((_average(sound) for sound in others), default=0.0)
    yield f"BANDWIDTH={_bits(peak)}"
    yield f"AVERAGE-BANDWIDTH={_bits(min(average * _AVERAGE_HEADROOM, peak))}"
    yield f'CODECS="{",".join(_codecs([main, *others]))}"'
    if isinstance(main.media, VideoMedia):
        yield f"RESOLUTION={_resolution(main.media)}"
        if main.media.frame_rate is not None:
            yield f"FRAME-RATE={main.media.frame_rate:.3f}"
    if sounds:
        yield 'AUDIO="sound"'
    yield "CLOSED-CAPTIONS=NONE"


def _average(rendition: Rendition) -> float:
    whole = 8 * rendition.total_bytes / rendition.total_s if rendition.total_s else 0.0
    return whole or rendition.peak_bps


def _bits(bps: float) -> int:
    return ceil(bps / 1000) * 1000


def _codecs(renditions: Iterable[Rendition]) -> list[str]:
    """Return every format of what is listed (6.2.4), the newest of each rendition first."""
    found = [h.codecs for r in renditions for h in reversed(r.headers) if h.codecs]
    return list(dict.fromkeys(found))


def _resolution(media: VideoMedia) -> str:
    """Return the size at which the picture is shown, in square samples."""
    width, height = media.width, media.height
    if media.aspect is not None and 0 not in media.aspect:
        width = ceil(width * media.aspect[0] / media.aspect[1])
    return f"{width}x{height}"


def _quotable(text: str) -> str:
    """Return a quoted-string's text: without quotes and control characters (4.2)."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.replace('"', "'").split())
