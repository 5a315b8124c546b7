"""The units."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.programs import ROOT, takes

UNITS = [ROOT / "deploy" / "systemd" / f"{name}.service" for name in ("xg2g", "xg2g-transcoder")]
ANALYZE = shutil.which("systemd-analyze")

needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)


def _settings(unit: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE))


def test_there_is_a_unit_for_each_program() -> None:
    assert {*UNITS[0].parent.iterdir()} == {*UNITS}


@each_unit
def test_what_it_starts_exists(unit: Path) -> None:
    command = _settings(unit)["ExecStart"].split()
    assert Path(command[0]).name == unit.stem
    assert takes(command)


def test_both_run_as_the_same_user_so_that_the_socket_is_theirs_alone() -> None:
    daemon, transcoder = (_settings(unit) for unit in UNITS)
    assert daemon["User"] == transcoder["User"]
    assert daemon["DynamicUser"] == transcoder["DynamicUser"] == "yes"
    [socket] = re.findall(r"unix:(\S+)", transcoder["ExecStart"])
    assert socket.startswith(f"/run/{transcoder['RuntimeDirectory']}/")
    guide = (ROOT / "docs" / "guide" / "systemd.md").read_text()
    assert f"XG2G_EXTERNAL_TRANSCODER=unix://{socket}" in guide


@needs_systemd
@each_unit
def test_systemd_understands_it(unit: Path, tmp_path: Path) -> None:
    # systemd wants the programs to exist; the operator chooses where.
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
    copy = tmp_path / unit.name
    copy.write_text(text)
    assert ANALYZE is not None
    result = subprocess.run([ANALYZE, "verify", copy], capture_output=True, text=True)
    complaints = [line for line in result.stderr.splitlines() if unit.name in line]
    assert complaints == []


@needs_systemd
@each_unit
def test_it_is_as_shut_off_as_the_guide_says(unit: Path) -> None:
    assert ANALYZE is not None
    command = [ANALYZE, "security", "--offline=true", str(unit)]
    shown = subprocess.run(command, capture_output=True, text=True).stdout
    [exposure] = re.findall(r"Overall exposure level for \S+: ([\d.]+)", shown)
    assert float(exposure) < 1.5
