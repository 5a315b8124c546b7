"""Puts the compiled remuxer into the distribution and tags the wheel for this platform.

The library is reached through ctypes, so a wheel depends on the platform but
not on the version or the ABI of Python: its tag is `py3-none-<platform>`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags


class TranscoderLibrary(BuildHookInterface[Any]):
    """Builds the Rust library before its files are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        subprocess.run([Path(self.root, "scripts", "build-library.sh")], check=True)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platform_tag()}"


def _platform_tag() -> str:
    """The narrowest tag: code compiled here is known to run with this C library or a later one."""
    return next(tag for tag in platform_tags() if not tag.startswith("linux_"))
