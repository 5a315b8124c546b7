"""Prints the oldest glibc on which executables, libraries, wheels and folders run.

usage: scripts/glibc.py [--at-most VERSION] FILE...

That is the newest version of a glibc symbol that anything inside asks for. The single executable
is looked into where PyInstaller is installed. With --at-most, fails when something needs more.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

Version = tuple[int, ...]


def floor(path: Path) -> tuple[Version, str]:
    """Return the oldest glibc that `path` runs on, and the name of the file that asks for it.

    () for what asks for none: neither an ELF file nor something that holds one.
    """
    with tempfile.TemporaryDirectory() as directory:
        files = {file.name: file for file in _files(path, Path(directory))}
        return max(((_wanted(file), name) for name, file in files.items()), default=((), ""))


def _files(path: Path, scratch: Path) -> Iterator[Path]:
    """Return the files in a wheel, a folder or a single executable, or the file itself."""
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    elif path.suffix == ".whl":
        zipfile.ZipFile(path).extractall(scratch)
        yield from _files(scratch, scratch)
    else:
        yield path
        yield from _frozen(path, scratch)


def _frozen(path: Path, scratch: Path) -> Iterator[Path]:
    try:
        readers = import_module("PyInstaller.archive.readers")
    except ImportError:
        return
    try:
        archive = readers.CArchiveReader(str(path))
    except readers.ArchiveReadError:
        return
    for name, entry in archive.toc.items():
        if entry[-1] == "b":  # a library
            file = scratch / name.replace("/", "_")
            file.write_bytes(archive.extract(name))
            yield file


def _wanted(file: Path) -> Version:
    if file.read_bytes()[:4] != b"\x7fELF":
        return ()
    command = ["readelf", "--wide", "--version-info", str(file)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.findall(r"Name: GLIBC_(\d+(?:\.\d+)+) ", text)
    return max(map(_version, found), default=())


def main() -> int:
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("--at-most", type=_version, default=(sys.maxsize,))
    arguments.add_argument("files", type=Path, nargs="+")
    wanted = arguments.parse_args()
    floors = {file: floor(file) for file in wanted.files}
    for file, (version, name) in floors.items():
        said = f"glibc {'.'.join(map(str, version))} or newer ({name})" if version else "no glibc"
        sys.stdout.write(f"{file}  {said}\n")
    return int(any(version > wanted.at_most for version, _ in floors.values()))


def _version(text: str) -> Version:
    return tuple(map(int, text.split(".")))


if __name__ == "__main__":
    sys.exit(main())
