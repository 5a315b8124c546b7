"""The cards of the bouquet Favourites.

Every clip loops after LOOP_S, a whole number of frames in each codec used (MP2 24 ms, AC-3 32 ms,
AAC 64/3 ms, pictures 20 and 40 ms). In each, the first picture of every full second is white, and
its PTS is the PTS of the sample with which the beep begins.
"""

import random
from collections.abc import Callable

from tools.make_clips import sound as signals
from tools.make_clips.coding import ac3, eac3, ffmpeg, latm, mp2, sound, video_units
from tools.make_clips.descriptors import (
    AAC_PROFILE,
    CONDITIONAL_ACCESS,
    MULTICHANNEL,
    STEREO,
    TELETEXT,
    ac3_descriptor,
    component,
    eac3_descriptor,
    language,
    supplementary_audio,
)
from tools.make_clips.multiplex import AccessUnit, ElementaryStream, Program, multiplex
from xg2g.simulator.transport import PACKET_SIZE, PAT_PID, payload_start

LOOP_S = 9.6
# Long enough to look like a stream, short enough to stay small: noise does not compress.
SCRAMBLED_LOOP_S = 0.96

TRANSPONDER_ONE = {101: 0x100, 102: 0x200, 103: 0x300, 104: 0x400, 105: 0x500, 106: 0x600}
TRANSPONDER_TWO = {201: 0x1100, 202: 0x1200, 203: 0x1300}

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"


def picture(
    name: str, sound_name: str, size: str, fps: int, encoder: list[str]
) -> list[AccessUnit]:
    """One loop of coded pictures of a test card with a running clock and a flash each second."""
    height = int(size.split("x")[1])
    text = f"drawtext=fontfile={FONT}:fontcolor=white:box=1:boxcolor=black:boxborderw=12"
    card = [
        f"smptehdbars=s={size}:r={fps}:d={LOOP_S}",
        f"{text}:fontsize={height // 11}:x=(w-tw)/2:y=h*0.10:text='{name}'",
        f"{text}:fontsize={height // 20}:x=(w-tw)/2:y=h*0.24:text='{sound_name}'",
        f"{text}:fontsize={height // 7}:x=(w-tw)/2:y=h*0.40:text='%{{pts\\:hms}}'",
        f"drawtext=fontfile={FONT}:fontcolor=yellow:fontsize={height // 14}"
        ":text='\u25cf':x='mod(t,1)*(w-tw)':y=h*0.585",
        f"drawbox=color=white:t=fill:enable='lt(mod(n,{fps}),{max(2, fps // 16)})'",
        "format=yuv420p",
    ]
    ts = ffmpeg(["-f", "lavfi", "-i", ",".join(card), "-an", *encoder, "-f", "mpegts", "pipe:1"])
    return video_units(ts)


def x264(kbps: int, fps: int) -> list[str]:
    rate = ["-b:v", f"{kbps}k", "-maxrate", f"{kbps * 5 // 4}k", "-bufsize", f"{kbps // 2}k"]
    gop = f"keyint={fps}:min-keyint={fps}:scenecut=0:open-gop=0:bframes=2:aud=1:nal-hrd=vbr"
    return ["-c:v", "libx264", "-preset", "slow", "-threads", "1", *rate, "-x264-params", gop]


def x265(kbps: int, fps: int) -> list[str]:
    rate = f"bitrate={kbps}:vbv-maxrate={kbps * 5 // 4}:vbv-bufsize={kbps // 2}"
    gop = f"keyint={fps}:min-keyint={fps}:scenecut=0:open-gop=0:bframes=2:aud=1:repeat-headers=1"
    threads = "pools=1:frame-threads=1:log-level=error"
    return ["-c:v", "libx265", "-preset", "medium", "-x265-params", f"{rate}:{gop}:{threads}"]


def one_hd() -> bytes:
    """MP2 and AC-3 5.1 in two languages and an audio description, as German broadcasters sign."""
    units = picture("CARD ONE HD", "MP2, AC-3 5.1  deu eng", "1280x720", 50, x264(850, 50))
    german = [signals.track(LOOP_S, 880, seed) for seed in (1, 2)]
    english = [signals.track(LOOP_S, 1175, seed) for seed in (3, 4)]
    described = [signals.track(LOOP_S, 659, 5)]
    german_51 = list(signals.surround(LOOP_S, 440, 20))
    english_51 = list(signals.surround(LOOP_S, 587, 30))
    streams = [
        ElementaryStream(0x101, 0x1B, component(1), 0xE0, units),
        ElementaryStream(
            0x102, 0x03, language("deu") + component(2), 0xC0, sound(mp2(192), german), 4
        ),
        ElementaryStream(
            0x103, 0x03, language("eng") + component(3), 0xC1, sound(mp2(192), english), 5
        ),
        ElementaryStream(
            0x104,
            0x03,
            language("deu", 3) + component(4) + supplementary_audio("deu"),
            0xC2,
            sound(mp2(64), described),
            2,
        ),
        ElementaryStream(
            0x106,
            0x06,
            ac3_descriptor(MULTICHANNEL) + language("deu") + component(5),
            0xBD,
            sound(ac3(384), german_51),
            1,
        ),
        ElementaryStream(
            0x107,
            0x06,
            ac3_descriptor(MULTICHANNEL) + language("eng") + component(6),
            0xBD,
            sound(ac3(384), english_51),
            2,
        ),
        ElementaryStream(0x108, 0x06, TELETEXT + component(7)),
        ElementaryStream(0x109, 0x05, bytes.fromhex("6f03 0010 e1")),
        ElementaryStream(0x10A, 0x03, language("mul") + component(8), 0xC3),
    ]
    program = Program(101, 0x100, 0x101, CONDITIONAL_ACCESS, streams)
    return multiplex([program], 1, TRANSPONDER_ONE, LOOP_S)


def two_hd() -> bytes:
    """E-AC-3 alone, with description, as on French terrestrial television."""
    units = picture("CARD TWO HD", "E-AC-3 5.1  qaa fra", "1280x720", 25, x264(850, 25))
    french = [signals.track(LOOP_S, 784, seed) for seed in (6, 7)]
    described = [signals.track(LOOP_S, 523, seed) for seed in (8, 9)]
    original = list(signals.surround(LOOP_S, 988, 40))
    streams = [
        ElementaryStream(0x201, 0x1B, component(1), 0xE0, units),
        ElementaryStream(
            0x202,
            0x06,
            language("fra") + eac3_descriptor(STEREO) + component(2),
            0xBD,
            sound(eac3(128), french),
            1,
        ),
        ElementaryStream(
            0x203,
            0x06,
            language("qaa") + eac3_descriptor(MULTICHANNEL) + component(3),
            0xBD,
            sound(eac3(256), original),
            2,
        ),
        ElementaryStream(
            0x204,
            0x06,
            language("fra", 3)
            + eac3_descriptor(STEREO)
            + component(4)
            + supplementary_audio("fra"),
            0xBD,
            sound(eac3(96), described),
            1,
        ),
        ElementaryStream(0x205, 0x0B, bytes.fromhex("1304 0000 000a")),
    ]
    program = Program(102, 0x200, 0x201, CONDITIONAL_ACCESS, streams)
    return multiplex([program], 1, TRANSPONDER_ONE, LOOP_S)


def three_latm() -> bytes:
    """HEVC with AAC in LATM, as on Italian and Scandinavian terrestrial television."""
    units = picture("CARD THREE", "HEVC, AAC-LATM  ita eng", "960x540", 25, x265(600, 25))
    italian = [signals.track(LOOP_S, 698, seed) for seed in (11, 12)]
    english = [signals.track(LOOP_S, 1047, seed) for seed in (13, 14)]
    streams = [
        ElementaryStream(0x1201, 0x24, component(1), 0xE0, units),
        ElementaryStream(
            0x1202,
            0x11,
            language("ita") + AAC_PROFILE + component(2),
            0xC0,
            sound(latm(128, 1), italian),
            3,
        ),
        ElementaryStream(
            0x1203,
            0x11,
            language("eng") + AAC_PROFILE + component(3),
            0xC1,
            # A divisor of the 450 frames of a loop, so that each loop begins with one.
            sound(latm(96, 15), english),
            1,
        ),
    ]
    program = Program(202, 0x1200, 0x1201, b"", streams)
    return multiplex([program], 2, TRANSPONDER_TWO, LOOP_S)


def four_radio() -> bytes:
    """MP2 with the PCR on the audio PID."""
    stereo = [signals.track(LOOP_S, 831, seed) for seed in (15, 16)]
    units = sound(mp2(192), stereo)
    streams = [ElementaryStream(0x301, 0x03, language("deu") + component(1), 0xC0, units, 2)]
    program = Program(103, 0x300, 0x301, b"", streams)
    return multiplex([program], 1, TRANSPONDER_ONE, LOOP_S)


def five_scrambled() -> bytes:
    """A service whose payload, PES headers included, is noise; PSI and PCR stay readable."""
    noise = random.Random(5)
    pictures = [AccessUnit(noise.randbytes(6000), i * 3600, i * 3600) for i in range(24)]
    frames = [AccessUnit(noise.randbytes(576), i * 2160, i * 2160) for i in range(40)]
    streams = [
        ElementaryStream(0x401, 0x1B, component(1), 0xE0, pictures),
        ElementaryStream(0x402, 0x03, language("deu") + component(2), 0xC0, frames, 2),
    ]
    program = Program(104, 0x400, 0x401, CONDITIONAL_ACCESS, streams)
    clear = multiplex([program], 1, TRANSPONDER_ONE, SCRAMBLED_LOOP_S)
    out = bytearray(clear)
    for at in range(0, len(out), PACKET_SIZE):
        pid = int.from_bytes(out[at + 1 : at + 3], "big") & 0x1FFF
        payload = payload_start(clear, at)
        if pid not in (PAT_PID, program.pmt_pid) and payload < at + PACKET_SIZE:
            # transport_scrambling_control: even or odd key (ETSI TS 100 289).
            out[at + 3] |= 0x80 if at * 2 < len(out) else 0xC0
            out[payload : at + PACKET_SIZE] = noise.randbytes(at + PACKET_SIZE - payload)
    return bytes(out)


def six_changes() -> bytes:
    """News in stereo, then a film in 5.1 on another PID: the PMT changes twice in a loop."""
    units = picture("CARD SIX", "MP2 2.0 / AC-3 5.1  deu", "960x540", 25, x264(500, 25))
    news = sound(mp2(160), [signals.track(LOOP_S, 740, seed) for seed in (17, 18)])
    film = sound(ac3(384), list(signals.surround(LOOP_S, 370, 50)))
    video = ElementaryStream(0x501, 0x1B, component(1), 0xE0, units)
    stereo = ElementaryStream(
        0x502, 0x03, language("deu") + component(2), 0xC0, news[: len(news) // 2], 4
    )
    multichannel = ElementaryStream(
        0x503,
        0x06,
        ac3_descriptor(MULTICHANNEL) + language("deu") + component(3),
        0xBD,
        film[len(film) // 2 :],
        2,
    )
    programs = [
        Program(105, 0x500, 0x501, CONDITIONAL_ACCESS, [video, audio])
        for audio in (stereo, multichannel)
    ]
    return multiplex(programs, 1, TRANSPONDER_ONE, LOOP_S)


CLIPS: dict[str, Callable[[], bytes]] = {
    "one-hd": one_hd,
    "two-hd": two_hd,
    "three-latm": three_latm,
    "four-radio": four_radio,
    "five-scrambled": five_scrambled,
    "six-changes": six_changes,
}
