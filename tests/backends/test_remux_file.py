"""`xg2g_backends.remux`: a file, converted with one blocking call."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import xg2g_backends
from xg2g_backends import InvalidArgumentError, RemuxOptions, UnavailableError, remux

CLIP = Path(__file__).parents[2] / "xg2g" / "simulator" / "clips" / "two-hd.ts"


def test_paths_open_files_and_pipes_are_converted_alike(tmp_path: Path) -> None:
    target = tmp_path / "converted.ts"
    stats = remux(str(CLIP), target)
    converted = target.read_bytes()
    assert stats.bytes_in == CLIP.stat().st_size
    assert stats.bytes_out == len(converted) > 500_000

    memory = io.BytesIO()
    with CLIP.open("rb") as clip:
        assert remux(clip, memory) == stats
        assert not clip.closed
    assert memory.getvalue() == converted

    reading, writing = os.pipe()
    piped: list[bytes] = []

    def take() -> None:
        with os.fdopen(reading, "rb") as end:
            piped.append(end.read())

    taker = threading.Thread(target=take)
    taker.start()
    with os.fdopen(writing, "wb", buffering=0) as pipe:
        remux(CLIP, pipe)
    taker.join()
    assert piped == [converted]


def test_a_file_takes_the_options_of_a_backend(tmp_path: Path) -> None:
    one = remux(CLIP, tmp_path / "one.ts", RemuxOptions(tracks="first"))
    assert {track.state.value for track in one.tracks} == {"converting", "dropped"}


def test_a_file_is_not_converted_onto_itself(tmp_path: Path) -> None:
    recording = tmp_path / "recording.ts"
    recording.write_bytes(CLIP.read_bytes())
    link = tmp_path / "link.ts"
    link.hardlink_to(recording)
    for target in (recording, link):
        with pytest.raises(InvalidArgumentError, match="use another target"):
            remux(recording, target)
    with recording.open("r+b") as same, pytest.raises(InvalidArgumentError):
        remux(recording, same)
    assert recording.read_bytes() == CLIP.read_bytes()


@pytest.mark.parametrize("content", [b"", b"no transport stream" * 5000])
def test_a_source_that_is_no_transport_stream_leaves_the_target_unchanged(
    content: bytes, tmp_path: Path
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)
    target.write_bytes(b"kept")
    with pytest.raises(ValueError, match="source is not a transport stream"):
        remux(source, target)
    assert target.read_bytes() == b"kept"


def test_a_missing_file_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        remux(tmp_path / "missing.ts", tmp_path / "target.ts")
    with pytest.raises(FileNotFoundError):
        remux(CLIP, tmp_path / "missing" / "target.ts")


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XG2G_LIBRARY", str(tmp_path / "nothing.so"))
    with pytest.raises(UnavailableError, match=r"nothing\.so"):
        remux(CLIP, tmp_path / "target.ts")


def test_every_public_name_can_be_imported() -> None:
    for name in xg2g_backends.__all__:
        assert getattr(xg2g_backends, name).__name__ == name
    assert not hasattr(xg2g_backends, "nothing")


def test_importing_the_package_loads_neither_asyncio_nor_an_http_client() -> None:
    code = "import sys, xg2g_backends.base; print(*{'asyncio', 'h11', 'ctypes'} & {*sys.modules})"
    loaded = subprocess.run([sys.executable, "-Ic", code], capture_output=True, text=True)
    assert loaded.stdout.strip() == ""
    assert loaded.stderr == ""
