"""The locked Python packages are those that the project asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WANTED = {
    "runtime": PROJECT["project"]["dependencies"],
    "build": PROJECT["dependency-groups"]["build"],
    "dev": PROJECT["dependency-groups"]["dev"],
}


def test_every_package_that_the_daemon_asks_for_is_imported_by_it() -> None:
    sources = [*(ROOT / "xg2g").rglob("*.py"), *(ROOT / "backends").rglob("*.py")]
    code = "\n".join(path.read_text() for path in sources)
    for package in WANTED["runtime"]:
        name = Requirement(package).name
        module = {"pyyaml": "yaml"}.get(name, name.replace("-", "_"))
        assert re.search(rf"^\s*(?:import|from) {module}\b", code, re.MULTILINE), package


def _locked(name: str) -> dict[str, set[str]]:
    """Package name to its locked versions (several where they depend on the platform)."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE):
        versions.setdefault(canonicalize_name(package), set()).add(version)
    return versions


@pytest.mark.parametrize("name", WANTED)
def test_every_package_asked_for_is_locked_at_a_version_that_fits(name: str) -> None:
    locked = _locked(name)
    for line in WANTED[name]:
        wanted = Requirement(line)
        versions = locked.get(canonicalize_name(wanted.name), set())
        assert versions, f"{line}: run make lock"
        assert all(version in wanted.specifier for version in versions), f"{line}: run make lock"


@pytest.mark.parametrize("name", WANTED)
def test_every_locked_package_has_a_hash_and_no_address(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    for entry in re.split(r"\n(?=[A-Za-z0-9])", text.strip()):
        assert "--hash=sha256:" in entry, entry
    assert "://" not in text


def test_the_files_agree_on_each_version() -> None:
    seen: dict[str, set[str]] = {}
    for name in WANTED:
        for package, versions in _locked(name).items():
            assert seen.setdefault(package, versions) == versions, package
