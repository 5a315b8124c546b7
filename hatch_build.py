"""Puts the compiled remuxer, its service and the web page into the distribution and tags it.

The library is reached through ctypes and the service is a program of its own, so a wheel depends
on the platform but not on the version or the ABI of Python: its tag is `py3-none-<platform>`.

For another platform than this machine's, cargo's `CARGO_BUILD_TARGET` says what is compiled, and
`XG2G_WHEEL_PLATFORM` is the platform of the tag, such as `manylinux_2_36_aarch64`.
`scripts/cross.sh` sets both.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags


class Transcoder(BuildHookInterface[Any]):
    """Compiles what a wheel holds beside Python."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        for tool, origin in (("cargo", "https://rustup.rs"), ("bash", "your system's packages")):
            if shutil.which(tool) is None:
                sys.exit(f"xg2g is compiled here, which takes {tool}: install it from {origin}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"
        if version == "editable":  # a clone loads the library from where it lies
            self._run("build-transcoder.sh")
            return
        self._run("build-release.sh")
        self._run("build-page.sh")
        target = os.environ.get("CARGO_BUILD_TARGET", "")
        for file in Path(self.root, "build", target, "release").iterdir():
            if file.stem == "xg2g-transcoder":
                build_data["shared_scripts"][str(file)] = file.name
            else:
                build_data["force_include"][str(file)] = f"xg2g_backends/embedded/{file.name}"

    def _run(self, script: str) -> None:
        if subprocess.run(["bash", f"scripts/{script}"], cwd=self.root, check=False).returncode:
            sys.exit(f"scripts/{script} failed; its messages are above")


def platform_tag() -> str:
    """The narrowest tag: code compiled here is known to run with this C library or a later one.

    Compilers for macOS aim at MACOSX_DEPLOYMENT_TARGET where it is set. XG2G_WHEEL_PLATFORM names
    the platform of what another compiler than this machine's makes.
    """
    if given := os.environ.get("XG2G_WHEEL_PLATFORM"):
        return given
    if sys.platform == "darwin":
        target = os.environ.get("MACOSX_DEPLOYMENT_TARGET") or platform.mac_ver()[0]
        major, _, minor = target.partition(".")
        # From 11 on, tags name the major version alone.
        return (
            f"macosx_{major}_{minor.partition('.')[0] if major == '10' else 0}_{platform.machine()}"
        )
    return next(tag for tag in platform_tags() if not tag.startswith("linux_"))
