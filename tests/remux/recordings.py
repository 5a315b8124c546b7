"""The recordings that suites run over: captures of real networks, which may be
absent, the project's own clips, and stand-ins made for the captures."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.harness.remuxer import Remuxed, remux
from tests.oracle.access_unit import audio_codec
from tests.oracle.audio_sync import Track, decode_track
from tests.oracle.transport import NULL_PID, Packets, Pmt, pats, pmts
from tests.oracle.ts_checker import Report, check
from tests.remux.stand_ins.made import STAND_INS, WITHOUT

if TYPE_CHECKING:
    from tests.remux.stand_ins.stand_in import StandIn

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = Path(os.environ.get("XG2G_CAPTURES") or ROOT.parent / "shared" / "ts")
CLIPS = ROOT / "xg2g" / "simulator" / "clips"
RECOGNISABLE_UNITS = 3
"""With fewer access units it cannot be asked that a codec is recognised."""
FFMPEG = ["ffmpeg", "-nostdin", "-v", "repeat+error", "-f", "mpegts", "-i", "pipe:"]
FFMPEG += ["-map", "0:a", "-f", "null", "-"]
_AUDIO_TYPES = {0x03, 0x04, 0x0F, 0x11, 0x81, 0x82, 0x87}
_AUDIO_DESCRIPTORS = {0x6A, 0x7A, 0x7B, 0x7C}
_EXTENSION, _AC4 = 0x7F, b"\x15"


@dataclass(frozen=True)
class Recording:
    """A source, what it holds, and what the remuxer made of it; each found out once."""

    path: Path | StandIn

    @cached_property
    def source(self) -> bytes:
        return self.path.read_bytes()

    @cached_property
    def packets(self) -> Packets:
        return Packets(self.source)

    @cached_property
    def pmts(self) -> list[Pmt]:
        return pmts(self.packets)

    @cached_property
    def report(self) -> Report:
        return check(self.source)

    @cached_property
    def remuxed(self) -> Remuxed:
        return remux(self.source)

    @cached_property
    def output_packets(self) -> Packets:
        return Packets(self.remuxed.output)

    @cached_property
    def tracks(self) -> dict[int, Track]:
        """Declared audio that can be decoded, by what it really holds, from where a PMT
        has declared it."""
        tracks = {
            pid: decode_track(self.packets, pid, from_packet=self.declared_at[pid])
            for pid in sorted(self.declared_audio & set(self.declared_at))
        }
        return {
            pid: track
            for pid, track in tracks.items()
            if track and track.decoded and len(track.units) >= RECOGNISABLE_UNITS
        }

    def coding(self, pid: int) -> str | None:
        """What the elementary stream of a PID holds, whatever a PMT says."""
        return audio_codec(self.packets, pid)

    @cached_property
    def declared_at(self) -> dict[int, int]:
        """Where the first PMT that names a PID is complete, a PAT having named that PMT."""
        named: dict[int, int] = {}
        for section, pat in pats(self.packets):
            for program in pat:
                named.setdefault(program, section.packet)
        found: dict[int, int] = {}
        for pmt in self.pmts:
            for stream in pmt.streams:
                if pmt.section.packet > named[pmt.program]:
                    found.setdefault(stream.pid, pmt.section.packet)
        return found

    @cached_property
    def declared_audio(self) -> set[int]:
        streams = {stream.pid: stream for pmt in self.pmts for stream in pmt.streams}
        return {
            pid
            for pid, stream in streams.items()
            if stream.stream_type in _AUDIO_TYPES
            or (
                stream.stream_type == 0x06
                and any(
                    tag in _AUDIO_DESCRIPTORS or (tag == _EXTENSION and body[:1] == _AC4)
                    for tag, body in stream.all_descriptors()
                )
            )
        }

    @cached_property
    def converted(self) -> set[int]:
        """PIDs that have to be converted."""
        return {pid for pid, track in self.tracks.items() if track.codec != "aac"}

    @cached_property
    def pmt_pids(self) -> set[int]:
        return {pid for _, pat in pats(self.packets) for pid in pat.values()}

    @cached_property
    def together(self) -> list[set[int]]:
        """PIDs that keep their order among each other: those that one program alone names; where
        there is but one program, all of them."""
        programs = {number for _, pat in pats(self.packets) for number in pat}
        seen = self.packets.pids()
        if len(programs) <= 1:
            return [seen]
        named: dict[int, set[int]] = {}
        for pmt in self.pmts:
            named.setdefault(pmt.program, set()).update(s.pid for s in pmt.streams)
        uses = Counter(pid for pids in named.values() for pid in pids)
        alone = [{pid for pid in pids if uses[pid] == 1} for pids in named.values()]
        return alone + [{pid} for pid in seen]

    @cached_property
    def untouched(self) -> set[int]:
        """PIDs that have to leave as they came."""
        seen = {int(pid) for pid in set(self.packets.pid[self.packets.tei == 0].tolist())}
        decodable = {pid for pid in self.declared_audio if audio_codec(self.packets, pid)}
        adts = {pid for pid, track in self.tracks.items() if track.codec == "aac"}
        return seen - (decodable - adts) - self.pmt_pids - {NULL_PID}


@lru_cache(maxsize=4)
def recording(path: Path | StandIn) -> Recording:
    """The recording, kept while the tests that share it run."""
    return Recording(path)


def capture(name: str) -> Recording:
    """A capture by name; skips the test where the captures are absent."""
    path = CAPTURES / name
    if not path.exists():
        pytest.skip(f"no captures: {path} is absent (XG2G_CAPTURES names their folder)")
    return recording(path)


def stand_in(name: str) -> Recording:
    """The stand-in for a capture, which is always here; skips the test of what none can have."""
    made = STAND_INS.get(name.removesuffix(".ts"))
    if made is None:
        pytest.skip(f"no stand-in for {name}: {WITHOUT[name.removesuffix('.ts')]}")
    return recording(made)


def all_paths() -> list[Path]:
    """Every capture and clip that is here."""
    return sorted(CAPTURES.glob("*.ts")) + sorted(CLIPS.glob("*.ts"))


def all_sources() -> list[Path | StandIn]:
    """Every capture and clip that is here, and every stand-in."""
    return [*all_paths(), *STAND_INS.values()]


def complaints(stream: bytes) -> list[bytes]:
    """What ffmpeg has to say when it decodes the sound of a stream, a line for each time.

    Without `repeat`, it leaves out lines that follow themselves, and which do, differs from run
    to run: FFmpeg 7 decodes each track in a thread.
    """
    run = subprocess.run(FFMPEG, input=stream, capture_output=True, check=False)
    return run.stderr.splitlines() + [b"failed"] * (run.returncode != 0)
