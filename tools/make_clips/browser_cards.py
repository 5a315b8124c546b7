"""The cards of the bouquet Test cards: what a player has to cope with, one thing a channel.

Every clip loops after a whole number of seconds and of frames in each codec used (MP2 24 ms, AC-3
32 ms, pictures 20 and 40 ms). A beep begins at each full second, at the same instant as the flash.
"""

from collections.abc import Callable
from dataclasses import replace

from tools.make_clips import dvb_subtitles, teletext
from tools.make_clips import sound as signals
from tools.make_clips.card import Card
from tools.make_clips.coding import ac3, mp2, sound
from tools.make_clips.descriptors import (
    STEREO,
    ac3_descriptor,
    component,
    language,
    supplementary_audio,
)
from tools.make_clips.multiplex import AccessUnit, ElementaryStream, Program, multiplex

LOOP_S = 12.0
OPEN_LOOP_S = 9.6
LONG_LOOP_S = 24.0
SUBTITLE_90K = 144_000
"""How long a subtitle is shown."""

TRANSPONDER_THREE = {sid: 0x1000 + (sid - 300) * 0x10 for sid in range(301, 307)}
TRANSPONDER_FOUR = {sid: 0x1000 + (sid - 400) * 0x10 for sid in range(401, 406)}

HD, FULL_HD, SD_WIDE = (1280, 720), (1920, 1080), (1024, 576)
SD = (720, 576)
"""What a picture of SD_WIDE is squeezed into."""


def interlaced_1080i() -> bytes:
    card = Card(
        "Interlaced 1080i",
        ("H.264 1080i25, frames of two fields (MBAFF)", "Sound: MP2 deu, 440 Hz"),
        FULL_HD,
        50,
        LOOP_S,
        interlaced=True,
        stripes_px=12,
    )
    encoder = x264(25, 2200, "tff=1", "level=40", "ref=4")
    return _service(301, 0x1B, card.units(encoder), [_mp2("deu", 440, 96)])


def interlaced_576i() -> bytes:
    card = Card(
        "Interlaced 576i",
        ("H.264 576i25, 16:9, frames of two fields (MBAFF)", "Sound: MP2 deu, 440 Hz"),
        SD_WIDE,
        50,
        LOOP_S,
        coded=SD,
        interlaced=True,
        stripes_px=8,
    )
    encoder = x264(25, 1100, "tff=1", lines=576)
    return _service(302, 0x1B, card.units(encoder), [_mp2("deu", 440, 96)])


def languages() -> bytes:
    """Two languages and an audio description, in tones of their own."""
    card = Card(
        "Languages",
        ("deu 440 Hz (MP2)   eng 880 Hz (AC-3)", "audio description deu 1320 Hz (MP2)"),
        HD,
        25,
        LOOP_S,
    )
    tracks = [
        _mp2("deu", 440, 96),
        _ac3("eng", 880, 128, tag=3),
        _mp2("deu", 1320, 64, is_description=True, tag=4),
    ]
    return _service(303, 0x1B, card.units(x264(25, 1200)), tracks)


def lip_sync() -> bytes:
    """Each second one white picture, PTS a multiple of 90,000 in content time, and a beep.

    The first sample of the beep that is not near silence has the PTS of the white picture.
    """
    card = Card(
        "Lip Sync",
        ("one white picture (40 ms) and a beep, 1000 Hz, at each full second",),
        HD,
        25,
        LOOP_S,
        flashes_whole=True,
    )
    beeps = [signals.beeps(LOOP_S, 1000, seed) for seed in (21, 22)]
    track = _stream(0x03, language("deu") + component(2), 0xC0, sound(mp2(96), beeps), 3)
    return _service(304, 0x1B, card.units(x264(25, 1200)), [track])


def hevc() -> bytes:
    card = Card(
        "HEVC",
        ("HEVC Main 720p50", "Sound: AC-3 deu, 440 Hz"),
        HD,
        50,
        LOOP_S,
    )
    return _service(305, 0x24, card.units(x265(50, 1200)), [_ac3("deu", 440, 128)])


def mpeg2() -> bytes:
    card = Card(
        "MPEG-2",
        ("MPEG-2 576i25, 16:9, for players, not for browsers", "Sound: MP2 deu, 440 Hz"),
        SD_WIDE,
        50,
        LOOP_S,
        coded=SD,
        interlaced=True,
        stripes_px=4,
    )
    encoder = ["-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-threads", "1", "-g", "12"]
    encoder += ["-bf", "2", "-sc_threshold", "1000000000", "-q:v", "16"]
    encoder += ["-maxrate", "3000k", "-bufsize", "1200k", *_colours(576)]
    return _service(306, 0x02, card.units(encoder), [_mp2("deu", 440, 96)])


def subtitles() -> bytes:
    """Teletext and DVB subtitles that tell the card's clock: each even second for 1.6 seconds."""
    card = Card(
        "Subtitles",
        (
            "Teletext 888 deu, 889 deu for the hearing impaired, 777 eng",
            "DVB subtitles deu, deu for the hearing impaired, eng",
        ),
        HD,
        25,
        LOOP_S,
    )
    normal = teletext.Page(0x888, "deu", 2)
    impaired = teletext.Page(0x889, "deu", 5, teletext.YELLOW)
    english = teletext.Page(0x777, "eng", 2)
    hd = dvb_subtitles.Page(1, "deu", 0x14, HD)
    hd_impaired = dvb_subtitles.Page(2, "deu", 0x24, HD, dvb_subtitles.YELLOW)
    sd = dvb_subtitles.Page(1, "eng", 0x10, dvb_subtitles.SD)
    texts, bitmaps = [], []
    for second in range(0, round(LOOP_S), 2):
        clock = f"00:{second:02}"
        lines = {
            normal: (f"Es ist {clock}", "Seite 888: äöü ÄÖÜ ß"),
            impaired: (f"(Piepton) {clock}", "Seite 889"),
            english: (f"It is {clock}", "page 777: £ # ½"),
        }
        at_90k = second * 90_000
        until_90k = at_90k + SUBTITLE_90K
        for page, shown in lines.items():
            texts.append(teletext.Shown(at_90k, page, shown))
            texts.append(teletext.Shown(until_90k, page, ()))
        for bitmap, line in (
            (hd, f"Es ist {clock}, schön!"),
            (hd_impaired, f"(Piepton) {clock}"),
            (sd, f"It is {clock}"),
        ):
            bitmaps.append(dvb_subtitles.Shown(at_90k, bitmap, line))
            bitmaps.append(dvb_subtitles.Shown(until_90k, bitmap, ""))
    streams = [
        _mp2("deu", 440, 96),
        teletext.stream(3, (normal, impaired, english), texts, LOOP_S),
        dvb_subtitles.stream(4, (hd, hd_impaired), [s for s in bitmaps if s.page != sd]),
        dvb_subtitles.stream(5, (sd,), [s for s in bitmaps if s.page == sd]),
    ]
    return _service(401, 0x1B, card.units(x264(25, 1200)), streams)


def open_gop() -> bytes:
    """Key frames are I pictures with a recovery point, shown after two B pictures that follow them.

    None is an IDR picture. A round has 240 pictures in ten groups: their 80 references are a
    multiple of MaxFrameNum (16), and twice 240 one of MaxPicOrderCntLsb, so that both counts of the
    loop go on in its next round.
    """
    card = Card(
        "Open GOP",
        ("H.264 720p25 without IDR pictures", "Key frames: recovery point, B pictures before it"),
        HD,
        25,
        OPEN_LOOP_S,
    )
    encoder = x264(25, 1200, "b-adapt=0", "b-pyramid=none", "open-gop=1", group_s=0.96)
    pictures = card.units_without_beginning(encoder)
    return _service(402, 0x1B, pictures, [_mp2("deu", 440, 96, loop_s=OPEN_LOOP_S)], OPEN_LOOP_S)


def seldom_key() -> bytes:
    card = Card(
        "Key Frame Each 8 s",
        ("H.264 720p25, one key frame in 8 seconds", "Sound: MP2 deu, 440 Hz"),
        HD,
        25,
        LONG_LOOP_S,
    )
    pictures = card.units(x264(25, 1200, group_s=8))
    return _service(403, 0x1B, pictures, [_mp2("deu", 440, 96, loop_s=LONG_LOOP_S)], LONG_LOOP_S)


def picture_changes() -> bytes:
    """Other parameter sets each 4 seconds: other lines, then another shape."""
    parts = (
        ("H.264 720p25, 16:9", HD, None, 4),
        ("H.264 576p25, 16:9", SD_WIDE, SD, 8),
        ("H.264 576p25, 4:3", (768, 576), SD, 8),
    )
    part_s = LOOP_S / len(parts)
    pictures = []
    for i, (line, size, coded, stripes_px) in enumerate(parts):
        card = Card(
            "Picture Changes",
            (line, "another each 4 seconds"),
            size,
            25,
            LOOP_S,
            coded=coded,
            stripes_px=stripes_px,
            from_s=i * part_s,
            for_s=part_s,
        )
        pictures += card.units(x264(25, 1200, lines=(coded or size)[1]))
    return _service(404, 0x1B, pictures, [_mp2("deu", 440, 96)])


def x264(
    fps: int, max_kbps: int, *parameters: str, group_s: float = 1.0, lines: int = 720
) -> list[str]:
    group = round(fps * group_s)
    fixed = f"keyint={group}:min-keyint={group}:scenecut=0:bframes=2:aud=1:nal-hrd=vbr"
    rate = ["-crf", "26", "-maxrate", f"{max_kbps}k", "-bufsize", f"{max_kbps // 2}k"]
    coder = ["-c:v", "libx264", "-preset", "slow", "-threads", "1", *rate]
    return [*coder, "-x264-params", ":".join((fixed, *parameters)), *_colours(lines)]


def x265(fps: int, max_kbps: int) -> list[str]:
    rate = f"crf=29:vbv-maxrate={max_kbps}:vbv-bufsize={max_kbps // 2}"
    group = f"keyint={fps}:min-keyint={fps}:scenecut=0:open-gop=0:bframes=2:aud=1:repeat-headers=1"
    threads = "pools=1:frame-threads=1:log-level=error"
    coder = ["-c:v", "libx265", "-preset", "medium", "-profile:v", "main"]
    return [*coder, "-x265-params", f"{rate}:{group}:{threads}", *_colours(720)]


def _colours(lines: int) -> list[str]:
    space = "bt709" if lines >= 720 else "bt470bg"
    return ["-colorspace", space, "-color_primaries", space, "-color_trc", "bt709"]


def _stream(
    stream_type: int, descriptors: bytes, stream_id: int, units: list[AccessUnit], per_pes: int = 1
) -> ElementaryStream:
    """Its PID is given by its service."""
    return ElementaryStream(0, stream_type, descriptors, stream_id, units, per_pes)


def _mp2(
    code: str,
    tone_hz: int,
    kbps: int,
    *,
    is_description: bool = False,
    tag: int = 2,
    loop_s: float = LOOP_S,
) -> ElementaryStream:
    descriptors = language(code, 3 if is_description else 0) + component(tag)
    if is_description:
        descriptors += supplementary_audio(code)
    channels = [signals.tone(loop_s, tone_hz)] * (1 if is_description else 2)
    return _stream(0x03, descriptors, 0xC0 + tag - 2, sound(mp2(kbps), channels), 2)


def _ac3(code: str, tone_hz: int, kbps: int, tag: int = 2) -> ElementaryStream:
    descriptors = ac3_descriptor(STEREO) + language(code) + component(tag)
    channels = [signals.tone(LOOP_S, tone_hz)] * 2
    return _stream(0x06, descriptors, 0xBD, sound(ac3(kbps), channels), 1)


def _service(
    service_id: int,
    video_type: int,
    pictures: list[AccessUnit],
    others: list[ElementaryStream],
    loop_s: float = LOOP_S,
) -> bytes:
    """The clip; PIDs follow the PMT's, which is a multiple of 16."""
    number = service_id // 100
    transponder = TRANSPONDER_THREE if number == 3 else TRANSPONDER_FOUR
    pmt_pid = transponder[service_id]
    streams = [ElementaryStream(pmt_pid + 1, video_type, component(1), 0xE0, pictures)]
    for i, other in enumerate(others):
        streams.append(replace(other, pid=pmt_pid + 2 + i))
    program = Program(service_id, pmt_pid, pmt_pid + 1, b"", streams)
    return multiplex([program], number, transponder, loop_s)


CLIPS: dict[str, Callable[[], bytes]] = {
    "interlaced-1080i": interlaced_1080i,
    "interlaced-576i": interlaced_576i,
    "languages": languages,
    "lip-sync": lip_sync,
    "hevc": hevc,
    "mpeg2": mpeg2,
    "subtitles": subtitles,
    "open-gop": open_gop,
    "seldom-key": seldom_key,
    "picture-changes": picture_changes,
}
