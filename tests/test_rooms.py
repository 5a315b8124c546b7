"""The rooms of xg2g: which one may import which, and how large a file may be."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent

ORDER = (
    "errors",
    "healthcheck",
    "simulator",
    "network",
    "receiver",
    "readiness",
    "store",
    "lineup",
    "guide",
    "metrics",
    "config",
    "streaming",
    "outputs",
    "clients",
    "hdhomerun",
    "web",
    "app",
    "setup",
    "doctor",
    "cli",
    "__main__",
)
"""A room may import those before it, so that there can be no circle."""

SIMULATOR_USERS = {"cli"}
"""The daemon reaches the simulated receiver through HTTP, like a real one."""

LONGEST_FILE = 350
"""Lines of a file."""


@dataclass(frozen=True)
class Import:
    """An import in a module of xg2g, wherever in the module it stands."""

    path: str
    line: int
    room: str
    target: str
    """Dotted name of what is imported."""

    @property
    def target_room(self) -> str:
        return self.target.split(".")[1]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.room} imports {self.target}"


def imports_of(path: str, source: str) -> Iterator[Import]:
    """Yield what a module imports of xg2g; relative names are resolved. `path` begins at the
    root of the clone."""
    package = path.split("/")[:-1]
    room = path.removesuffix(".py").split("/")[1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = [*above, *(node.module.split(".") if node.module else [])]
            targets = [".".join([*base, alias.name]) for alias in node.names]
        else:
            continue
        for target in targets:
            top, dot, _ = target.partition(".")
            if top == "xg2g" and dot:
                yield Import(path, node.lineno, room, target)


def imports_against_the_order(imports: list[Import]) -> list[str]:
    return [
        str(each)
        for each in imports
        if each.room != each.target_room and ORDER.index(each.room) < ORDER.index(each.target_room)
    ]


@pytest.fixture(scope="module")
def imports() -> list[Import]:
    return [
        each
        for path in sorted((ROOT / "xg2g").rglob("*.py"))
        for each in imports_of(path.relative_to(ROOT).as_posix(), path.read_text())
        if each.target != "xg2g.__version__"
    ]


def test_every_room_has_its_place_in_the_order() -> None:
    found = {
        path.stem
        for path in (ROOT / "xg2g").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert found - {"__init__"} == set(ORDER)


def test_what_lies_at_the_root_of_the_package_is_an_entry_point_or_an_error() -> None:
    names = {path.name for path in (ROOT / "xg2g").glob("*.py")}
    assert names == {"__init__.py", "__main__.py", "errors.py", "healthcheck.py"}


def test_no_room_imports_one_above_it(imports: list[Import]) -> None:
    assert len(imports) > 300
    assert imports_against_the_order(imports) == []


def test_only_the_command_line_knows_the_simulated_receiver(imports: list[Import]) -> None:
    strangers = [
        str(each)
        for each in imports
        if each.target_room == "simulator" and each.room not in SIMULATOR_USERS | {"simulator"}
    ]
    assert strangers == []


def test_the_backends_know_nothing_of_the_daemon() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "backends").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "xg2g")
        or (
            isinstance(node, ast.Import)
            and any(alias.name.split(".")[0] == "xg2g" for alias in node.names)
        )
    ]
    assert found == []


@pytest.mark.parametrize(
    ("path", "line", "against"),
    [
        ("xg2g/store/table.py", "from ..lineup import Channel", ["xg2g.lineup.Channel"]),
        ("xg2g/store/table.py", "from .. import guide", ["xg2g.guide"]),
        ("xg2g/store/table.py", "import xg2g.web.gateway", ["xg2g.web.gateway"]),
        ("xg2g/store/table.py", "from xg2g import web", ["xg2g.web"]),
        ("xg2g/receiver/openwebif/a.py", "from ...web import b", ["xg2g.web.b"]),
        ("xg2g/receiver/openwebif/a.py", "from ..address import b", []),
        ("xg2g/store/__init__.py", "from ..app.daemon import b", ["xg2g.app.daemon.b"]),
        ("xg2g/store/table.py", "def f():\n    from ..web import b", ["xg2g.web.b"]),
        ("xg2g/errors.py", "if TYPE_CHECKING:\n    from .web import b", ["xg2g.web.b"]),
        ("xg2g/web/a.py", "from ..store.database import b\nimport json, xg2g_backends", []),
    ],
)
def test_an_import_of_a_higher_room_is_found_wherever_it_stands(
    path: str, line: str, against: list[str]
) -> None:
    found = imports_against_the_order(list(imports_of(path, line)))
    assert [each.rpartition(" ")[2] for each in found] == against
    assert all(each.startswith(f"{path}:") for each in found)


def test_no_file_is_too_long_to_be_read() -> None:
    long = {
        path.relative_to(ROOT).as_posix()
        for root in ("xg2g", "backends")
        for path in (ROOT / root).rglob("*.py")
        if len(path.read_text().splitlines()) > LONGEST_FILE
    }
    assert long == set(), "split these at their concepts"
