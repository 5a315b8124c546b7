"""docs/design/dependencies.md names each direct dependency, and what ships imports no other."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "design" / "dependencies.md").read_text()
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~;\[ ]", requirement)[0].lower() for requirement in requirements}


def _runtime() -> set[str]:
    return _names(PYPROJECT["project"]["dependencies"])


def _python() -> set[str]:
    return _runtime().union(*(_names(group) for group in PYPROJECT["dependency-groups"].values()))


def _rust() -> set[str]:
    manifests = [ROOT / "transcoder" / "Cargo.toml", ROOT / "transcoder" / "fuzz" / "Cargo.toml"]
    found: set[str] = set()
    for manifest in map(tomllib.loads, (path.read_text() for path in manifests)):
        for table in (manifest, *manifest.get("target", {}).values()):
            for kind in ("dependencies", "build-dependencies", "dev-dependencies"):
                found |= table.get(kind, {}).keys()
    return found - {"xg2g-transcoder"}


def _page() -> set[str]:
    package = json.loads((ROOT / "page" / "package.json").read_text())
    return {*package["dependencies"], *package["devDependencies"]}


def _named(heading: str) -> set[str]:
    """The names in the first column of the tables below headings that begin with this text."""
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    cells = [
        line.split("|")[1]
        for section in sections
        if section.startswith(heading)
        for line in section.splitlines()
        if line.startswith("|")
    ]
    return set(re.findall(r"`([^`]+)`", " ".join(cells)))


@pytest.mark.parametrize(
    ("heading", "declared"),
    [("Rust", _rust()), ("Python", _python()), ("The web page", _page())],
    ids=["rust", "python", "page"],
)
def test_the_tables_name_the_direct_dependencies_and_no_others(
    heading: str, declared: set[str]
) -> None:
    assert declared
    assert _named(heading) == declared


def test_every_row_gives_a_reason() -> None:
    rows = [
        line for line in PAGE.splitlines() if line.startswith("|") and "`" in line.split("|")[1]
    ]
    assert len(rows) > 30
    assert [row for row in rows if not row.split("|")[2].strip()] == []


def test_what_ships_imports_declared_packages_alone() -> None:
    imported: set[str] = set()
    for path in [*(ROOT / "xg2g").rglob("*.py"), *(ROOT / "backends").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
    foreign = imported - sys.stdlib_module_names - {"xg2g", "xg2g_backends"}
    distributions = packages_distributions()
    packages = {
        name.lower().replace("_", "-") for module in foreign for name in distributions[module]
    }
    assert packages == _runtime()
