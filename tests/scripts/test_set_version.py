"""One number in every file that names the version."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "set_version.py"
PLACES = runpy.run_path(str(SCRIPT))["PLACES"]
NAMES = [name for name, _, _ in PLACES]


def run(argument: str, folder: Path) -> tuple[int, str]:
    command = (sys.executable, SCRIPT, argument)
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Files of the clone that name the version, and what changed."""
    for name in [*NAMES, "CHANGELOG.md"]:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return tmp_path


def test_every_file_names_the_same_version() -> None:
    assert run("--check", ROOT) == (0, "")


def test_a_new_version_is_set_everywhere(copy: Path) -> None:
    changes = copy / "CHANGELOG.md"
    changes.write_text("# Changes\n\n## Unreleased\n\n- one\n")
    assert run("9.8.7-rc.1", copy) == (0, "")
    assert run("--check", copy) == (0, "")
    assert "## 9.8.7-rc.1 - 2" in changes.read_text()
    assert [name for name in NAMES if "9.8.7-rc.1" not in (copy / name).read_text()] == []


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_file_with_another_version_is_named(copy: Path, name: str) -> None:
    assert run("9.8.7", copy) == (0, "")
    path = copy / name
    path.write_text(path.read_text().replace("9.8.7", "9.8.6", 1))
    status, said = run("--check", copy)
    assert status == 1
    assert said.startswith(f"{name}: 9.8.6")


@pytest.mark.parametrize("argument", ["", "1.0", "v1.0.0", "1.0.0;"])
def test_what_is_no_version_is_refused(copy: Path, argument: str) -> None:
    assert run(argument, copy) == (1, "usage: scripts/set_version.py X.Y.Z | --check\n")
