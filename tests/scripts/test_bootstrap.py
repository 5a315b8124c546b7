"""scripts/bootstrap.sh: which Python builds the project."""

import subprocess
from pathlib import Path

import pytest

BOOTSTRAP = Path(__file__).parents[2] / "scripts" / "bootstrap.sh"
USABLE = "exit 0"
TOO_OLD_OR_WITHOUT_VENV = "exit 1"


def _chosen(folder: Path, programs: dict[str, str], **environment: str) -> str:
    """Return what is chosen where Python is called by these names."""
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11"):
        program = folder / name
        program.write_text(f"#!/bin/sh\n{programs.get(name, 'exit 127')}\n")
        program.chmod(0o755)
    return subprocess.run(
        ["bash", BOOTSTRAP, "python"],
        env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), **environment},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def test_the_systems_own_python_is_taken_where_it_can_be_used(tmp_path: Path) -> None:
    assert _chosen(tmp_path, {"python3": USABLE, "python3.13": USABLE}) == "python3"


@pytest.mark.parametrize("newer", ["python3.11", "python3.12", "python3.13", "python3.14"])
def test_a_newer_python_beside_one_that_is_too_old_is_taken(tmp_path: Path, newer: str) -> None:
    programs = {"python3": TOO_OLD_OR_WITHOUT_VENV, newer: USABLE}
    assert _chosen(tmp_path, programs) == newer


def test_the_python_that_is_asked_for_is_taken_and_no_other(tmp_path: Path) -> None:
    mine = tmp_path / "my python"
    mine.write_text(f"#!/bin/sh\n{USABLE}\n")
    mine.chmod(0o755)
    assert _chosen(tmp_path, {"python3": USABLE}, PYTHON=str(mine)) == str(mine)
    mine.write_text(f"#!/bin/sh\n{TOO_OLD_OR_WITHOUT_VENV}\n")
    assert _chosen(tmp_path, {"python3": USABLE}, PYTHON=str(mine)) == str(mine)
