"""The programs that the README shows are those that run here."""

from __future__ import annotations

import asyncio
import doctest
import importlib.util
import re
import shutil
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.ports import free_address
from tests.harness.transcoder import Transcoder
from xg2g_backends import EmbeddedBackend, ExternalBackend, ServiceAddress, base, joining
from xg2g_backends.embedded import remux_file
from xg2g_backends.external import address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "docs" / "examples"
CLIP = ROOT / "xg2g" / "simulator" / "clips" / "two-hd.ts"
README = (ROOT / "README.md").read_text()


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def _expected(folder: Path, *flags: str) -> bytes:
    """What the command makes of the clip."""
    target = folder / "expected.ts"
    xg2g = Path(sys.executable).with_name("xg2g")
    subprocess.run([xg2g, "remux", CLIP, target, *flags], check=True, capture_output=True)
    converted = target.read_bytes()
    assert len(converted) > 500_000
    return converted


def _example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def transcoder() -> Any:
    with Transcoder(free_address()) as service:
        yield service.address.url


def test_the_readme_shows_the_examples_as_they_are() -> None:
    examples = [path.read_text() for path in sorted(EXAMPLES.glob("remux_*.py"))]
    assert len(examples) == 2
    assert _blocks("python") == examples


def test_the_readme_shows_the_example_of_the_crate() -> None:
    comments = re.findall(
        r"^//! ?(.*)$", (ROOT / "transcoder/src/lib.rs").read_text(), re.MULTILINE
    )
    [program] = re.findall(r"^```rust\n(.*?)^```$", "\n".join(comments), re.DOTALL | re.MULTILINE)
    shown = "".join(line for line in program.splitlines(True) if not line.startswith("# "))
    assert _blocks("rust") == [shown]


def test_the_examples_in_docstrings_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(CLIP, tmp_path / "recording.ts")
    monkeypatch.chdir(tmp_path)
    for module in (base, address, joining, remux_file):
        results = doctest.testmod(module)
        assert results.attempted > 0, module.__name__
        assert results.failed == 0, module.__name__


def test_the_example_in_the_backends_docstring_converts_as_the_command_does(
    tmp_path: Path,
) -> None:
    [example] = doctest.DocTestFinder(recurse=False).find(
        base.Backend, "Backend", globs=vars(base).copy()
    )
    names = vars(base).copy()
    exec("".join(step.source for step in example.examples), names)
    clip = CLIP.read_bytes()
    chunks = [clip[at : at + 50_000] for at in range(0, len(clip), 50_000)]

    async def convert() -> bytes:
        async with aclosing(EmbeddedBackend()) as backend:
            output = await names["convert"](backend, chunks)
            assert isinstance(output, bytes)
            return output

    assert asyncio.run(convert()) == _expected(tmp_path, "--bitrate", "128000")


def test_the_example_for_files_converts_as_the_command_does(tmp_path: Path) -> None:
    shutil.copy(CLIP, tmp_path / "recording.ts")
    program = subprocess.run(
        [sys.executable, EXAMPLES / "remux_file.py"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "fra eac3 converting" in program.stdout
    converted = (tmp_path / "converted.ts").read_bytes()
    assert converted == _expected(tmp_path, "--tracks", "deu,eng")


@pytest.mark.parametrize("where", ["embedded", "external"])
def test_the_example_for_live_streams_converts_as_the_command_does(
    where: str, tmp_path: Path, transcoder: str
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        with CLIP.open("rb") as clip:
            while chunk := clip.read(50_000):
                yield chunk

    async def convert() -> bytes:
        backend = (
            EmbeddedBackend()
            if where == "embedded"
            else ExternalBackend([ServiceAddress.parse(transcoder)])
        )
        async with aclosing(backend):
            output = _example("remux_live").converted(chunks(), backend)
            return b"".join([piece async for piece in output])

    assert asyncio.run(convert()) == _expected(tmp_path, "--bitrate", "128000")


def test_the_command_with_curl_converts_as_the_command_does(
    tmp_path: Path, transcoder: str
) -> None:
    [command] = [block for block in _blocks("sh") if block.startswith("curl -sT")]
    assert "http://127.0.0.1:3000/" in command
    shutil.copy(CLIP, tmp_path / "recording.ts")
    command = command.replace("http://127.0.0.1:3000", transcoder)
    subprocess.run(["bash", "-ec", command], cwd=tmp_path, check=True, timeout=60)
    converted = (tmp_path / "converted.ts").read_bytes()
    assert converted == _expected(tmp_path, "--bitrate", "128000")
