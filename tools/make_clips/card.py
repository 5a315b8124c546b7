"""The moving test card of the channels for watching: name, dial, clock, stripes and colours.

Content time 0 is a full second. The clip's first picture is shown PHASE_S before one, so that key
frames do not coincide with the flash and a player's first picture is the card.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools.make_clips.coding import ffmpeg, video_units
from tools.make_clips.multiplex import AccessUnit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

PHASE_S = 0.48
FLASH_S = 0.04

_FONTS = Path("/usr/share/fonts/truetype/dejavu")
_BARS = ((191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0))
_TOP, _BOTTOM = (22, 34, 84), (20, 118, 128)


@dataclass(frozen=True)
class Card:
    """A test card. Sizes in square samples; `coded` is what the picture is squeezed into."""

    name: str
    lines: tuple[str, ...]
    """What the viewer is to see and hear."""
    size: tuple[int, int]
    pictures_per_s: int
    """Fields, where the card is interlaced."""
    loop_s: float
    coded: tuple[int, int] | None = None
    interlaced: bool = False
    flashes_whole: bool = False
    """True: one picture each second is white, instead of the dial's lamp."""
    stripes_px: int = 4
    """By how much the stripes move from picture to picture."""
    from_s: float = 0.0
    """Where in the loop's content this card begins."""
    for_s: float | None = None
    """Seconds for which it is shown; None: the whole loop."""

    def units(self, encoder: list[str]) -> list[AccessUnit]:
        """The pictures as `encoder`, arguments for ffmpeg, codes them, from a key frame on."""
        return self._shifted(self._coded(encoder, self.for_s or self.loop_s))

    def units_without_beginning(self, encoder: list[str]) -> list[AccessUnit]:
        """The middle one of three rounds in coding order, of which the first has the only IDR.

        The loop continues with itself if `encoder` repeats its pattern of pictures in each round,
        and if frame_num and the picture order count are the same after it.
        """
        units = self._coded(encoder, 3 * self.loop_s)
        round_90k = round(self.loop_s * 90_000)
        begin, end = (
            next(i for i, unit in enumerate(units) if unit.pts_90k == number * round_90k)
            for number in (1, 2)
        )
        return [
            AccessUnit(unit.data, unit.pts_90k - round_90k, unit.dts_90k - round_90k)
            for unit in self._shifted(units[begin:end])
        ]

    def _shifted(self, units: list[AccessUnit]) -> list[AccessUnit]:
        """The first picture precedes its full second by PHASE_S."""
        shift_90k = round((self.from_s - PHASE_S) * 90_000)
        return [AccessUnit(u.data, u.pts_90k + shift_90k, u.dts_90k + shift_90k) for u in units]

    def _coded(self, encoder: list[str], seconds: float) -> list[AccessUnit]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            drawn = {
                "card": self._background(),
                "stripes": self._stripes(),
                "hand": self._hand(),
                "lamp": self._lamp(),
            }
            inputs = []
            for layer, picture in drawn.items():
                _write(folder / f"{layer}.pam", picture)
                inputs += ["-loop", "1", "-framerate", str(self.pictures_per_s)]
                inputs += ["-i", f"{folder}/{layer}.pam"]
            count = round(seconds * self.pictures_per_s)
            frames = count // 2 if self.interlaced else count
            drawing = ["-filter_complex", self._filters(), "-frames:v", str(frames), "-an"]
            return video_units(ffmpeg([*inputs, *drawing, *encoder, "-f", "mpegts", "pipe:1"]))

    def _filters(self) -> str:
        width, height = self.size
        rate = self.pictures_per_s
        total = round(self.loop_s * rate)
        # Number of the picture in content time.
        number = f"mod(n+{(round((self.from_s - PHASE_S) * rate)) % total},{total})"
        into_second = f"mod({number},{rate})"
        period = self._period
        step = self.stripes_px
        if total * step % period:
            raise ValueError("the stripes do not close at the joint")
        band_y, band = self._band
        dial_x, dial_y, radius = self._dial
        seconds = f"%{{eif\\:trunc({number}/{rate})\\:d\\:2}}"
        hundredths = f"%{{eif\\:trunc({into_second}*100/{rate})\\:d\\:2}}"
        flash = f"lt({into_second},{round(FLASH_S * rate)})"
        texts = [
            _text("DejaVuSans-Bold", height // 9, "white", "(w-tw)/2", 0.055, _plain(self.name))
        ]
        texts += [
            _text("DejaVuSans", height // 23, "0xd8f0f0", "(w-tw)/2", 0.19 + i * 0.06, _plain(line))
            for i, line in enumerate(self.lines)
        ]
        clock = f"00\\:{seconds}.{hundredths}"
        texts.append(
            _text("DejaVuSansMono-Bold", height // 6, "white", f"{width * 0.38:.0f}", 0.44, clock)
        )
        flashing = f"[dial][3:v]overlay={dial_x - radius}:{dial_y - radius}:enable='{flash}'"
        if self.flashes_whole:
            flashing = f"[dial]drawbox=color=white:t=fill:enable='eq({into_second},0)'"
        coded_width, coded_height = self.coded or self.size
        matrix = "bt709" if coded_height >= 720 else "bt601"
        steps = [
            f"[1:v]crop={width}:{band}:'{period}-1-mod({number}*{step},{period})':0[stripes]",
            f"[2:v]rotate='2*PI*{into_second}/{rate}':c=none[hand]",
            f"[0:v][stripes]overlay=0:{band_y}:format=gbrp[band]",
            f"[band][hand]overlay={dial_x - radius}:{dial_y - radius}:format=gbrp[hands]",
            f"[hands]{','.join(texts)}[dial]",
            # What the coded stream says of its colours has to be true of its samples.
            f"{flashing},scale={coded_width}:{coded_height}:out_color_matrix={matrix}"
            ":out_range=tv:flags=bicubic+accurate_rnd,format=yuv420p",
        ]
        chain = ";".join(steps)
        if self.coded:
            # A sample's shape, such as 64:45.
            aspect = f"{width * coded_height}/{coded_width * height}"
            chain += f",setsar={aspect}"
        if self.interlaced:
            chain += ",tinterlace=mode=interleave_top:flags=vlpf,setfield=tff"
        return chain

    @property
    def _period(self) -> int:
        return self.size[1] // 6

    @property
    def _band(self) -> tuple[int, int]:
        height = self.size[1]
        return round(height * 0.69) // 2 * 2, round(height * 0.11) // 2 * 2

    @property
    def _dial(self) -> tuple[int, int, int]:
        width, height = self.size
        return round(width * 0.2), round(height * 0.51), round(height * 0.155)

    def _background(self) -> Picture:
        width, height = self.size
        down = np.linspace(0, 1, height)[:, None, None]
        card = np.array(_TOP) * (1 - down) + np.array(_BOTTOM) * down
        card = np.repeat(card, width, axis=1)
        cell = height // 9
        card[cell // 2 :: cell] += 16
        card[:, (width % cell) // 2 :: cell] += 16
        dial_x, dial_y, radius = self._dial
        away = _distance(width, height, dial_x, dial_y)
        card[away < radius] = (12, 20, 40)
        card[(away > radius - height * 0.012) & (away < radius)] = (235, 235, 235)
        colours = [*_BARS, (0, 0, 191), (16, 16, 16)]
        top, middle, bottom = (round(height * part) for part in (0.825, 0.90, 0.95))
        for i, colour in enumerate(colours):
            card[top:middle, i * width // 8 : (i + 1) * width // 8] = colour
        for i in range(11):
            card[middle:bottom, i * width // 11 : (i + 1) * width // 11] = i * 25.5
        return _opaque(card)

    def _stripes(self) -> Picture:
        width = self.size[0] + self._period
        white = np.arange(width) // (self._period // 2) % 2 == 0
        row = np.where(white[:, None], (235.0, 235.0, 235.0), (16.0, 16.0, 16.0))
        return _opaque(np.repeat(row[None], self._band[1], axis=0))

    def _hand(self) -> Picture:
        radius = self._dial[2]
        hand = np.zeros((2 * radius, 2 * radius, 4), np.uint8)
        half = max(2, radius // 26)
        hand[radius // 6 : radius, radius - half : radius + half] = (255, 206, 64, 255)
        return hand

    def _lamp(self) -> Picture:
        radius = self._dial[2]
        lamp = np.zeros((2 * radius, 2 * radius, 4), np.uint8)
        lamp[_distance(2 * radius, 2 * radius, radius, radius) < radius * 0.86] = 255
        return lamp


def _distance(width: int, height: int, x: int, y: int) -> NDArray[np.float64]:
    distance: NDArray[np.float64] = np.hypot(np.arange(height)[:, None] - y, np.arange(width) - x)
    return distance


def _opaque(picture: NDArray[np.float64]) -> Picture:
    height, width, _ = picture.shape
    alpha = np.full((height, width, 1), 255.0)
    return np.concatenate((np.clip(picture, 0, 255), alpha), axis=2).astype(np.uint8)


def _write(file: Path, picture: Picture) -> None:
    """As a portable arbitrary map, which has transparency and no compression."""
    height, width, _ = picture.shape
    header = (
        f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
    )
    file.write_bytes(header.encode() + picture.tobytes())


def _plain(text: str) -> str:
    """The text without a meaning for a filter."""
    return text.replace(":", "\\:")


def _text(font: str, size: int, colour: str, x: str, y: float, text: str) -> str:
    """A drawtext filter; `y` is a part of the height."""
    return (
        f"drawtext=fontfile={_FONTS}/{font}.ttf:fontsize={size}:fontcolor={colour}"
        f":shadowcolor=black@0.6:shadowx=2:shadowy=2:x={x}:y=h*{y}:text='{text}'"
    )
