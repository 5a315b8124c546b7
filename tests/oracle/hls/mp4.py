"""What files of a rendition say: boxes of ISO/IEC 14496-12, -14 and -15, read anew."""

from collections.abc import Iterator
from dataclasses import dataclass, field

_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"}


class NotMp4Error(Exception):
    """It is no file of boxes."""


@dataclass(frozen=True)
class Box:
    kind: bytes
    payload: bytes

    def boxes(self, skip: int = 0) -> Iterator["Box"]:
        return boxes(self.payload[skip:])

    def one(self, *path: bytes) -> "Box":
        box = self
        for kind in path:
            found = [child for child in box.boxes() if child.kind == kind]
            if len(found) != 1:
                raise NotMp4Error(f"{len(found)} times {kind!r} in {box.kind!r}")
            box = found[0]
        return box


def boxes(data: bytes) -> Iterator[Box]:
    """The boxes of which data consists, all of it."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size < 8 or at + size > len(data):
            raise NotMp4Error(f"a box of {size} bytes in {len(data) - at}")
        yield Box(data[at + 4 : at + 8], data[at + 8 : at + size])
        at += size


@dataclass(frozen=True)
class Header:
    """An initialisation segment."""

    track: int
    timescale: int
    codecs: str
    width: int
    height: int
    channels: int


def read_header(data: bytes) -> Header:
    """Raises `NotMp4Error`."""
    top = list(boxes(data))
    if [box.kind for box in top] != [b"ftyp", b"moov"]:
        raise NotMp4Error(f"an initialisation segment of {[box.kind for box in top]}")
    moov = top[1]
    tracks = [box for box in moov.boxes() if box.kind == b"trak"]
    if len(tracks) != 1:
        raise NotMp4Error(f"{len(tracks)} tracks")
    track = int.from_bytes(tracks[0].one(b"tkhd").payload[12:16], "big")
    trex = moov.one(b"mvex", b"trex").payload
    if int.from_bytes(trex[4:8], "big") != track:
        raise NotMp4Error("trex is of another track")
    mdhd = tracks[0].one(b"mdia", b"mdhd").payload
    timescale = int.from_bytes(mdhd[12:16] if mdhd[0] == 0 else mdhd[20:24], "big")
    table = tracks[0].one(b"mdia", b"minf", b"stbl")
    if int.from_bytes(table.one(b"stsz").payload[8:12], "big"):
        raise NotMp4Error("an initialisation segment with samples")
    entries = list(table.one(b"stsd").boxes(skip=8))
    if len(entries) != 1:
        raise NotMp4Error(f"{len(entries)} sample entries")
    codecs, width, height, channels = _entry(entries[0])
    return Header(track, timescale, codecs, width, height, channels)


def _entry(entry: Box) -> tuple[str, int, int, int]:
    payload = entry.payload
    if entry.kind in (b"avc1", b"avc3", b"hvc1", b"hev1"):
        width, height = (int.from_bytes(payload[at : at + 2], "big") for at in (24, 26))
        inner = {box.kind: box.payload for box in entry.boxes(skip=78)}
        if b"pasp" in inner:
            across, down = (int.from_bytes(inner[b"pasp"][at : at + 4], "big") for at in (0, 4))
            width = -(-width * across // down)
        config = inner.get(b"avcC") or inner.get(b"hvcC") or b""
        name = entry.kind.decode()
        if entry.kind in (b"avc1", b"avc3"):
            return f"{name}.{config[1:4].hex()}", width, height, 0
        return f"{name}.{_hevc(config)}", width, height, 0
    if entry.kind == b"mp4a":
        channels = int.from_bytes(payload[16:18], "big")
        esds = next(box.payload for box in entry.boxes(skip=28) if box.kind == b"esds")
        return f"mp4a.40.{_object_type(esds[4:])}", 0, 0, channels
    raise NotMp4Error(f"sample entry {entry.kind!r}")


def _hevc(config: bytes) -> str:
    """ISO/IEC 14496-15, E.3."""
    space = ("", "A", "B", "C")[config[1] >> 6]
    tier = "LH"[config[1] >> 5 & 1]
    compatibility = int(f"{int.from_bytes(config[2:6], 'big'):032b}"[::-1], 2)
    constraints = [f"{byte:x}".upper() for byte in config[6:12]]
    while constraints and constraints[-1] == "0":
        constraints.pop()
    parts = [f"{space}{config[1] & 31}", f"{compatibility:x}".upper(), f"{tier}{config[12]}"]
    return ".".join(parts + constraints)


def _object_type(descriptors: bytes) -> int:
    """Of the AudioSpecificConfig within an ES_Descriptor (ISO/IEC 14496-1, 7.2.6)."""
    at = descriptors.find(b"\x05")
    while at >= 0:
        size, start = 0, at + 1
        while start < len(descriptors) and start < at + 5:
            byte = descriptors[start]
            size, start = size << 7 | byte & 0x7F, start + 1
            if not byte & 0x80:
                break
        if 2 <= size <= 8 and start + size <= len(descriptors):
            return descriptors[start] >> 3
        at = descriptors.find(b"\x05", at + 1)
    raise NotMp4Error("no AudioSpecificConfig")


@dataclass
class Fragment:
    """moof and mdat."""

    track: int
    decode_time: int
    durations: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    are_sync: list[bool] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    """PTS less DTS."""

    @property
    def duration(self) -> int:
        return sum(self.durations)


def read_fragments(data: bytes) -> list[Fragment]:
    """The fragments of a segment or part. Raises `NotMp4Error`."""
    top = [box for box in boxes(data) if box.kind not in (b"styp", b"prft", b"emsg", b"sidx")]
    kinds = [box.kind for box in top]
    if not kinds or kinds != [b"moof", b"mdat"] * (len(kinds) // 2):
        raise NotMp4Error(f"a segment of {kinds}")
    return [_fragment(moof, mdat) for moof, mdat in zip(top[::2], top[1::2], strict=True)]


def _fragment(moof: Box, mdat: Box) -> Fragment:
    traf = moof.one(b"traf")
    tfhd = traf.one(b"tfhd").payload
    flags = int.from_bytes(tfhd[1:4], "big")
    if not flags & 0x020000:
        raise NotMp4Error("default-base-is-moof is not set")
    at = 8
    defaults = {}
    for flag, size in ((1, 8), (2, 4), (8, 4), (0x10, 4), (0x20, 4)):
        if flags & flag:
            defaults[flag] = int.from_bytes(tfhd[at : at + size], "big")
            at += size
    tfdt = traf.one(b"tfdt").payload
    size = 8 if tfdt[0] == 1 else 4
    fragment = Fragment(int.from_bytes(tfhd[4:8], "big"), int.from_bytes(tfdt[4 : 4 + size], "big"))
    trun = traf.one(b"trun").payload
    flags = int.from_bytes(trun[1:4], "big")
    count, at = int.from_bytes(trun[4:8], "big"), 8
    at += 4 * bool(flags & 1)
    first = int.from_bytes(trun[at : at + 4], "big") if flags & 4 else None
    at += 4 * bool(flags & 4)
    for index in range(count):
        values = {}
        for flag in (0x100, 0x200, 0x400, 0x800):
            if flags & flag:
                is_signed = flag == 0x800 and trun[0] == 1
                values[flag] = int.from_bytes(trun[at : at + 4], "big", signed=is_signed)
                at += 4
        told = values.get(0x400, defaults.get(0x20, 0))
        if index == 0 and first is not None:
            told = first
        fragment.durations.append(values.get(0x100, defaults.get(8, 0)))
        fragment.sizes.append(values.get(0x200, defaults.get(0x10, 0)))
        fragment.are_sync.append(not told & 0x010000)
        fragment.offsets.append(values.get(0x800, 0))
    if sum(fragment.sizes) != len(mdat.payload):
        raise NotMp4Error(f"samples of {sum(fragment.sizes)} bytes in {len(mdat.payload)}")
    return fragment
