"""docs/reference/abi.md: its program runs, its tables are those of header and library."""

import ctypes
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reference" / "abi.md").read_text()
INCLUDE = ROOT / "transcoder" / "include"
HEADER = (INCLUDE / "xg2g_transcoder.h").read_text()
CLIP = ROOT / "xg2g" / "simulator" / "clips" / "two-hd.ts"

[LIBRARY] = (ROOT / "backends" / "xg2g_backends" / "embedded").glob("libxg2g_transcoder.*")


def _column(heading: str, number: int) -> list[str]:
    table = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    return [row[number].strip().strip("`") for row in rows]


def test_every_function_of_the_header_is_on_the_page() -> None:
    declared = re.findall(r"\b(xg2g_\w+)\(", HEADER)
    assert set(_column("Functions", 1)) == set(declared)


def test_every_error_is_on_the_page_with_its_name() -> None:
    numbers = dict(re.findall(r"(XG2G_ERROR_\w+) = (-\d+)", HEADER))
    library = ctypes.CDLL(str(LIBRARY))
    library.xg2g_error_name.restype = ctypes.c_char_p
    names = {
        text: library.xg2g_error_name(int(number)).decode() for text, number in numbers.items()
    }
    assert dict(zip(_column("Errors", 1), _column("Errors", 2), strict=True)) == names


@pytest.mark.skipif(sys.platform != "linux", reason="the command line is a Linux compiler's")
def test_the_program_on_the_page_converts_as_the_command_does(tmp_path: Path) -> None:
    [program] = re.findall(r"```c\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "remux.c").write_text(program)
    compiler = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{INCLUDE}", "remux.c"]
    linked = ["-o", "remux", str(LIBRARY), f"-Wl,-rpath,{LIBRARY.parent}"]
    subprocess.run([*compiler, *linked], cwd=tmp_path, check=True)
    with CLIP.open("rb") as clip:
        converted = subprocess.run([tmp_path / "remux"], stdin=clip, capture_output=True)
    assert converted.returncode == 0, converted.stderr
    expected = tmp_path / "expected.ts"
    xg2g = Path(sys.executable).with_name("xg2g")
    subprocess.run([xg2g, "remux", CLIP, expected], check=True, capture_output=True)
    assert len(converted.stdout) > 1_000_000
    assert converted.stdout == expected.read_bytes()
