"""The installed command."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path


def test_the_installed_command_names_its_version() -> None:
    command = Path(sys.executable).with_name("xg2g")
    result = subprocess.run([command, "--version"], check=True, capture_output=True, text=True)
    assert result.stdout == f"xg2g {version('xg2g')}\n"
