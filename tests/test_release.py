"""What is published, tried as its users meet it. `make dist` comes first.

These take the files of dist/ as they are and build nothing but the source archive's wheel.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import urllib.request
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import av
import pytest

from scripts import glibc
from tests.harness.process import Process

pytestmark = [pytest.mark.release, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
EXECUTABLE = DIST / "xg2g"
COMPONENTS = ("xg2g ", "xg2g-transcoder ", "ffmpeg ", "fdk-aac ")


WHEEL = r"xg2g-.+\.whl"
SOURCES = r"xg2g-[^-]+\.tar\.gz"
EXECUTABLES = r"xg2g-[^-]+-[^-]+-.+\.tar\.gz"


def _only(name: str) -> Path:
    found = [file for file in DIST.glob("*") if re.fullmatch(name, file.name)]
    assert len(found) == 1, f"dist/ holds {len(found)} of {name}: say make dist"
    return found[0]


def _bare(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has nothing installed."""
    (tmp_path / "tmp").mkdir(exist_ok=True)
    return {"PATH": "/nonexistent", "HOME": str(tmp_path), "TMPDIR": str(tmp_path / "tmp")}


def _run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    """What a command says, which has to succeed."""
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def _demo(executable: Path, env: dict[str, str]) -> Iterator[tuple[Process, str]]:
    """A running demo, and the address of its first channel."""
    with Process(executable, "demo", "--port", "0", variables=env) as demo:
        yield demo, demo.await_line(lambda line: line.split()[:1] == ["try"]).split()[-1]


def _sound(url: str, tmp_path: Path) -> tuple[set[str], float]:
    """The codecs of a channel's sound, and how many seconds of it were decoded."""
    capture = tmp_path / "capture.ts"
    with urllib.request.urlopen(url, timeout=30) as response:
        capture.write_bytes(response.read(1_000_000))
    with av.open(str(capture)) as container:
        tracks = container.streams.audio
        units = [packet for packet in container.demux(tracks[0]) if packet.size]
        # The capture ends anywhere, and the last unit with it.
        samples = sum(frame.samples for unit in units[:-1] for frame in unit.decode())
        return {track.codec_context.name for track in tracks}, samples / tracks[0].sample_rate


def test_the_executable_explains_settings_and_the_api_as_the_reference_does(tmp_path: Path) -> None:
    """What they mean stands in docstrings that Python drops."""
    reference = ROOT / "docs" / "reference"
    said = _run(EXECUTABLE, "config", "example", env=_bare(tmp_path))
    assert said == (reference / "config.yaml").read_text()
    with (
        _demo(EXECUTABLE, _bare(tmp_path)) as (_, url),
        urllib.request.urlopen(urljoin(url, "/openapi.json"), timeout=30) as response,
    ):
        document = json.load(response)
    assert document == json.loads((reference / "openapi.json").read_text())


def test_the_executable_names_daemon_library_and_codecs_without_python(tmp_path: Path) -> None:
    said = _run(EXECUTABLE, "--version", env=_bare(tmp_path))
    assert [name for name in COMPONENTS if f"\n{name}" not in f"\n{said}"] == []


def test_the_executable_shows_the_web_page_with_everything_that_it_names(tmp_path: Path) -> None:
    with _demo(EXECUTABLE, _bare(tmp_path)) as (_, url):
        base = urljoin(url, "/")
        with urllib.request.urlopen(base, timeout=30) as response:
            page = response.read().decode()
        named = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert len([name for name in named if name.startswith("assets/")]) >= 4
        for name in named:
            with urllib.request.urlopen(urljoin(base, name), timeout=30) as response:
                assert response.status == 200, name


def test_the_executable_plays_a_channel_and_leaves_nothing_when_it_is_told_to_stop(
    tmp_path: Path,
) -> None:
    env = _bare(tmp_path)
    with _demo(EXECUTABLE, env) as (demo, url):
        codecs, decoded_s = _sound(url, tmp_path)
        assert codecs == {"aac"}
        assert decoded_s > 1
        assert list((tmp_path / "tmp").iterdir()) != []
        assert demo.stop() == 0
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="a signal of Linux tells of the parent's end")
def test_a_killed_launcher_leaves_neither_a_daemon_nor_files(tmp_path: Path) -> None:
    with _demo(EXECUTABLE, _bare(tmp_path)) as (demo, url):
        demo.stop(signal.SIGKILL)
        deadline = time.monotonic() + 20
        while list((tmp_path / "tmp").iterdir()):
            assert time.monotonic() < deadline, "the daemon goes on without its launcher"
            time.sleep(0.1)
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(url, timeout=5)


# /mnt is free to use: only the process of this script sees its mounts.
WITH_FOLDER = """
mount -t tmpfs all /mnt && cp "$1" /mnt/xg2g && mkdir /mnt/own || exit 77
mount -t tmpfs -o "$2" own /mnt/own && mount -t tmpfs -o "$3" tmp /tmp || exit 77
mount -t tmpfs -o size=1m tmp /var/tmp || exit 77
TMPDIR=/mnt/own /mnt/xg2g --version
code=$?
ls -A /mnt/own
exit $code
"""
FOLDERS = ["size=1m", "size=200m,noexec", "size=200m,ro"]
REASONS = [r"\d+ of \d+ MB free", "mounted noexec", "Read-only file system"]


def _with_folder(own: str, tmp: str) -> subprocess.CompletedProcess[str]:
    """Start the executable with a temporary folder and a /tmp that are mounted so."""
    command = ["unshare", "-rm", "sh", "-c", WITH_FOLDER, "sh", str(EXECUTABLE), own, tmp]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("this system lets its users mount nothing")
    return done


@pytest.mark.skipif(sys.platform != "linux", reason="mounts")
@pytest.mark.parametrize(("own", "reason"), [*zip(FOLDERS, REASONS, strict=True)], ids=FOLDERS)
def test_without_a_temporary_folder_one_line_says_what_to_do(own: str, reason: str) -> None:
    ended = _with_folder(own, "noexec")
    others = rf"/tmp: mounted noexec; /var/tmp: {REASONS[0]}"
    line = (
        rf"xg2g: no folder for temporary files can be used \(/mnt/own: {reason}; {others}\); "
        r"name another: TMPDIR=/path/to/folder\n"
    )
    assert re.fullmatch(line, ended.stderr), ended.stderr
    assert (ended.returncode, ended.stdout) == (1, "")


@pytest.mark.skipif(sys.platform != "linux", reason="mounts")
def test_a_folder_that_fills_up_while_it_is_unpacked_is_left_empty() -> None:
    ended = _with_folder("size=200m,nr_inodes=20", "noexec")
    last = ended.stderr.splitlines()[-1]
    assert re.match(r"xg2g: cannot unpack into /mnt/own/_MEI.*; name another folder: TMPDIR=", last)
    assert (ended.returncode, ended.stdout) == (1, "")


@pytest.mark.skipif(sys.platform != "linux", reason="mounts")
@pytest.mark.parametrize("own", FOLDERS)
def test_a_temporary_folder_that_cannot_be_used_is_passed_over(own: str) -> None:
    ended = _with_folder(own, "size=200m")
    assert ended.returncode == 0, ended.stderr
    assert [name for name in COMPONENTS if f"\n{name}" not in f"\n{ended.stdout}"] == []


def _flip(data: bytearray, at: int) -> None:
    data[at] ^= 0x10


COOKIE = bytes.fromhex("4d45490c0b0a0b0e")
"""The pattern with which the cookie begins, the last part of PyInstaller's archive."""
DAMAGES: dict[str, Callable[[bytearray], object]] = {
    "half of it": lambda data: data.__delitem__(slice(len(data) // 2, None)),
    "without its last byte": lambda data: data.pop(),
    "without its checksum": lambda data: data.__delitem__(slice(-20, None)),
    "zeros at its end": lambda data: data.extend(bytes(4096)),
    "another bit in the archive": lambda data: _flip(data, len(data) // 2),
    "another bit in the file that is packed last": lambda data: _flip(
        data, data.rindex(COOKIE) - 65_536
    ),
    "another bit in the cookie's pattern": lambda data: _flip(data, data.rindex(COOKIE)),
    "another bit in the cookie's length": lambda data: _flip(data, data.rindex(COOKIE) + 8),
    "another bit in the checksum": lambda data: _flip(data, -2),
}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the launcher is PyInstaller's own")
@pytest.mark.parametrize("damage", DAMAGES)
def test_of_a_damaged_executable_one_line_says_that_it_is(damage: str, tmp_path: Path) -> None:
    env = _bare(tmp_path)
    data = bytearray(EXECUTABLE.read_bytes())
    DAMAGES[damage](data)
    damaged = tmp_path / "xg2g"
    damaged.write_bytes(data)
    damaged.chmod(0o755)
    ended = subprocess.run(
        [damaged, "--version"], capture_output=True, text=True, env=env, check=False
    )
    line = f"xg2g: {damaged} is damaged or incomplete; download it again\n"
    assert (ended.stderr, ended.returncode, ended.stdout) == (line, 1, "")
    assert list((tmp_path / "tmp").iterdir()) == []


def test_two_executables_start_at_once(tmp_path: Path) -> None:
    env = _bare(tmp_path)
    both = [
        subprocess.Popen([EXECUTABLE, "--version"], env=env, stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [process.wait(60) for process in both] == [0, 0]


def test_the_service_of_the_archive_runs_alone(tmp_path: Path) -> None:
    with tarfile.open(_only(EXECUTABLES)) as archive:
        archive.extractall(tmp_path, filter="data")
    [folder] = tmp_path.glob("xg2g-*")
    assert "xg2g-transcoder" in _run(folder / "xg2g-transcoder", "--version", env=_bare(tmp_path))
    assert {"LICENSE", "NOTICE"} <= {file.name for file in folder.iterdir()}
    assert (folder / "licenses" / "LGPL-2.1.txt").is_file()
    assert (folder / "licenses" / "Python.txt").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_the_wheel_promises_no_older_glibc_than_its_contents_need() -> None:
    wheel = _only(WHEEL)
    tag = re.search(r"manylinux_(\d+)_(\d+)_", wheel.name)
    assert tag is not None
    version, _ = glibc.floor(wheel)
    assert (2,) < version <= tuple(map(int, tag.groups()))


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A new virtual environment with the locked packages, and its folder of commands."""
    venv.create(tmp_path / "venv", with_pip=True, symlinks=True)
    binaries = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    runtime = ROOT / "requirements" / "runtime.txt"
    _run(binaries / "python", "-m", "pip", "install", "-q", "--require-hashes", "-r", runtime)
    return binaries


def test_the_wheel_gives_an_empty_environment_both_commands(
    environment: Path, tmp_path: Path
) -> None:
    _run(environment / "pip", "install", "-q", "--no-deps", "--no-index", _only(WHEEL))
    said = _run(environment / "xg2g", "--version")
    assert [name for name in COMPONENTS if f"\n{name}" not in f"\n{said}"] == []
    assert "xg2g-transcoder" in _run(environment / "xg2g-transcoder", "--version")
    with _demo(environment / "xg2g", dict(os.environ)) as (_, url):
        assert _sound(url, tmp_path)[0] == {"aac"}


def test_the_source_archive_alone_becomes_a_wheel(environment: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    with tarfile.open(_only(SOURCES)) as archive:
        archive.extractall(source, filter="data")
    # cargo finds what it has compiled before: this test is about the archive's files.
    env = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target")}
    built = tmp_path / "built"
    _run(environment / "pip", "wheel", "-q", "--no-deps", "-w", built, *source.iterdir(), env=env)
    [wheel] = built.iterdir()
    assert wheel.name == _only(WHEEL).name


def test_the_source_archive_says_so_when_there_is_no_cargo(
    environment: Path, tmp_path: Path
) -> None:
    python = shutil.which("python", path=str(environment))
    assert python is not None
    done = subprocess.run(
        [
            python,
            "-m",
            "pip",
            "wheel",
            "--no-deps",
            "-w",
            tmp_path,
            _only(SOURCES),
        ],
        env={**os.environ, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if shutil.which("cargo", path="/usr/bin:/bin"):
        pytest.skip("cargo is one of the system's own programs here")
    assert done.returncode != 0
    assert "cargo: install it from https://rustup.rs" in done.stdout + done.stderr
