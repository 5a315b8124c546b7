"""Every capture and clip gives the same bytes by every way: the library, `xg2g remux` on files and
pipes, and the service."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.harness.remuxer import remux
from tests.harness.transcoder import Transcoder, transcoder
from tests.remux.broadcast import VIDEO, clean
from tests.remux.recordings import all_paths, recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = (sys.executable, "-c", "from xg2g.cli import main; main()", "remux")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("XG2G_")}
RECOGNISE_BYTES = 1024 * 1024
"""The command gives up on what it has not recognised within these."""


def by_command(*arguments: str | Path, stdin: bytes = b"") -> bytes:
    result = subprocess.run(
        [*COMMAND, *arguments], input=stdin, capture_output=True, check=False, env=ENVIRONMENT
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def service() -> Iterator[Transcoder]:
    with transcoder() as running:
        yield running


def by_service(service: Transcoder, stream: bytes) -> bytes:
    answer = httpx.post(f"{service.address}/v1/remux", content=stream, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.mark.parametrize("path", all_paths(), ids=lambda path: path.stem)
def test_a_recording_gives_the_same_bytes_by_every_way(
    path: Path, service: Transcoder, tmp_path: Path
) -> None:
    tape = recording(path)
    by_command(path, tmp_path / "out.ts")
    assert (tmp_path / "out.ts").read_bytes() == tape.remuxed.output
    assert by_command("-", "-", stdin=tape.source) == tape.remuxed.output
    assert by_service(service, tape.source) == tape.remuxed.output


def stamped(stream: bytes) -> bytes:
    """The stream as recorders write it, each packet behind a time stamp of 4 bytes."""
    packets = (stream[at : at + 188] for at in range(0, len(stream), 188))
    stamps = ((0x4700_0000 + 4000 * number).to_bytes(4) for number in range(len(stream) // 188))
    return b"".join(stamp + packet for stamp, packet in zip(stamps, packets, strict=True))


@pytest.mark.parametrize("begins_at", [0, 1, 4, 100])
def test_packets_of_192_bytes_are_read_by_every_way(
    begins_at: int, service: Transcoder, tmp_path: Path
) -> None:
    plain = clean(seconds=2)
    source = stamped(plain)[begins_at:]
    expected = remux(plain if begins_at <= 4 else plain[188:]).output
    (tmp_path / "in.m2ts").write_bytes(source)
    by_command(tmp_path / "in.m2ts", tmp_path / "out.ts")
    assert (tmp_path / "out.ts").read_bytes() == expected
    assert by_command("-", "-", stdin=source) == expected
    assert by_service(service, source) == expected


def test_tables_that_come_late_are_waited_for(tmp_path: Path) -> None:
    stream = clean(seconds=1)
    filler = bytes([0x47, VIDEO >> 8, VIDEO & 0xFF, 0x10]) + bytes(184)
    source = filler * (RECOGNISE_BYTES // 188 + 500) + stream
    (tmp_path / "in.ts").write_bytes(source)
    by_command(tmp_path / "in.ts", tmp_path / "out.ts")
    assert (tmp_path / "out.ts").read_bytes() == remux(source).output
