"""One file is one module: a class that exists twice is not caught by the other's `except`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent

LOAD_EVERYTHING = """
import json, sys
from importlib import import_module
from pathlib import Path

for package in ("xg2g_backends", "xg2g"):
    folder = Path(import_module(package).__file__).parent
    for path in folder.rglob("*.py"):
        if path.name not in ("__init__.py", "__main__.py"):
            import_module(".".join(path.relative_to(folder.parent).with_suffix("").parts))
print(json.dumps({
    name: module.__file__
    for name, module in sys.modules.items() if getattr(module, "__file__", None)
}))
"""


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_no_file_is_loaded_as_two_modules() -> None:
    loaded = _python(LOAD_EVERYTHING)
    assert loaded.returncode == 0, loaded.stderr
    names: dict[Path, set[str]] = defaultdict(set)
    for name, file in json.loads(loaded.stdout).items():
        if Path(file).resolve().is_relative_to(ROOT):
            names[Path(file).resolve()].add(name)
    expected = {*(ROOT / "xg2g").rglob("*.py"), *(ROOT / "backends").rglob("*.py")}
    assert {path for path in expected if path.name != "__main__.py"} <= names.keys()
    assert {path: known for path, known in names.items() if len(known) > 1} == {}


def test_the_backends_are_imported_by_one_name_alone() -> None:
    wrong = _python("import backends.xg2g_backends.errors")
    assert "import it by that name" in wrong.stderr
    assert wrong.returncode != 0


def test_the_clone_has_no_symbolic_link() -> None:
    command = ["git", "ls-files", "--stage"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "pyproject.toml" in listed
    assert [line for line in listed.splitlines() if line.startswith("120000")] == []
