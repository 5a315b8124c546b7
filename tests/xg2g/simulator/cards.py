"""The cards of the bouquet Test cards, as broadcast and as packaged for browsers."""

from __future__ import annotations

import io
from functools import cache
from importlib import resources
from itertools import dropwhile
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np

from xg2g.simulator.loop import Loop
from xg2g.simulator.recording import parse_recording
from xg2g_backends.base import RemuxOptions
from xg2g_backends.embedded.shared_library import Library, library_path
from xg2g_backends.packaging import Event, Packager

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

CLIPS = resources.files("xg2g.simulator").joinpath("clips")
SECOND = 90_000


class Pictures(NamedTuple):
    """What is coded, and how long a round is."""

    coding: str
    sizes: tuple[tuple[int, int], ...]
    each_second: int
    loop_s: float = 12


HD, SD = ((1280, 720),), ((720, 576),)
PICTURES = {
    "interlaced-1080i": Pictures("h264", ((1920, 1080),), 25),
    "interlaced-576i": Pictures("h264", SD, 25),
    "languages": Pictures("h264", HD, 25),
    "lip-sync": Pictures("h264", HD, 25),
    "hevc": Pictures("hevc", HD, 50),
    "mpeg2": Pictures("mpeg2video", SD, 25),
    "subtitles": Pictures("h264", HD, 25),
    "open-gop": Pictures("h264", HD, 25, 9.6),
    "seldom-key": Pictures("h264", HD, 25, 24),
    "picture-changes": Pictures("h264", (*HD, *SD), 25),
}


@cache
def rounds(name: str, count: int = 2) -> bytes:
    data = CLIPS.joinpath(f"{name}.ts").read_bytes()
    (program,) = parse_recording(data).programs
    return Loop(data, program.pcr_pid).read(0, count * (len(data) // 188))


def pictures(name: str, count: int = 2) -> Iterator[av.VideoFrame]:
    """Decoded pictures from the first key frame on; anything a decoder complains of fails."""
    with av.open(io.BytesIO(rounds(name, count)), "r", format="mpegts") as container:
        stream = container.streams.video[0]
        decoder = av.CodecContext.create(PICTURES[name].coding, "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.options = {"err_detect": "explode", "threads": "1"}
        # The last one's end is in the round that follows.
        packets = [packet for packet in container.demux(stream) if packet.size][:-1]
        packets = list(dropwhile(lambda packet: not packet.is_keyframe, packets))
        begin = packets[0].pts or 0
        for packet in packets:
            # Nobody can decode what precedes an open group's key frame in time.
            if (packet.pts or 0) >= begin:
                yield from decoder.decode(packet)
        yield from decoder.decode(None)


def luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    rows: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8).reshape(
        -1, plane.line_size
    )
    return rows[: frame.height, : frame.width]


@cache
def packaged(name: str) -> list[Event]:
    library = Library(library_path())
    handle = library.open(RemuxOptions())
    data = library.process(handle, rounds(name))
    data += library.finish(handle)
    library.free(handle)
    with Packager() as packager:
        return packager.process(data) + packager.finish()
