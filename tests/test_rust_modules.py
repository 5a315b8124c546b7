"""Files of the Rust crate import one way: no circle runs through `use` and paths."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent.parent / "transcoder" / "src"

UNAVOIDABLE: Mapping[frozenset[str], str] = {}
"""Circles that are accepted -> why. Empty is the aim."""

COMMENT = re.compile(r"//[^\n]*")
VISIBILITY = re.compile(r"\bpub\([a-z: ]+\)")
TEST_MODULE = re.compile(r"#\[cfg\(test\)\]\s*mod \w+ \{.*\Z", re.DOTALL)
USE = re.compile(r"^\s*(?:pub )?use ([^;]+);", re.MULTILINE)
PATH = re.compile(r"(?<![\w:])(?:crate|super|self)(?:::\w+)+")
ITEM = re.compile(
    r"^(?:pub )?(?:unsafe )?(?:const )?"
    r"(?:struct|enum|trait|fn|const|static|type|union|mod) (\w+)",
    re.MULTILINE,
)


@dataclass
class Module:
    """One file of the crate."""

    file: str
    text: str
    items: set[str] = field(default_factory=set)
    """What it defines, child modules included."""
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What its `use` lines bring in, by name."""
    paths: set[tuple[str, ...]] = field(default_factory=set)
    """What it names, from the root of the crate."""


Crate = Mapping[tuple[str, ...], Module]


def place(file: Path) -> tuple[str, ...]:
    """Return the path of the module that a file holds."""
    parts = file.with_suffix("").parts
    if parts == ("lib",):
        return ()
    return parts[:-1] if parts[-1] == "mod" else parts


def flattened(use: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each path of a use tree, and the name under which it is known."""
    use = use.strip()
    if "{" in use and not re.match(r"^[\w:]+( as \w+)?$", use):
        head, _, rest = use.partition("{")
        depth, start = 0, 0
        body = rest[: rest.rindex("}")]
        for at, char in enumerate(body + ","):
            depth += (char == "{") - (char == "}")
            if char == "," and depth == 0:
                if part := body[start:at].strip():
                    yield from flattened(head + part)
                start = at + 1
        return
    path, _, name = use.partition(" as ")
    parts = tuple(part.strip() for part in path.split("::"))
    if parts[-1] == "self":
        parts = parts[:-1]
    yield parts, name.strip() or parts[-1]


def absolute(parts: tuple[str, ...], at: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return a path from the root of the crate; None for one of another crate."""
    if parts[0] == "crate":
        return parts[1:]
    if parts[0] in ("self", "super"):
        while parts and parts[0] in ("self", "super"):
            at = at[:-1] if parts[0] == "super" else at
            parts = parts[1:]
        return (*at, *parts)
    return None


def read(sources: Path) -> Crate:
    """Return the crate's modules without their tests."""
    crate: dict[tuple[str, ...], Module] = {}
    for file in sorted(sources.rglob("*.rs")):
        name = file.relative_to(sources)
        if name.stem in ("tests", "main"):
            continue
        text = TEST_MODULE.sub("", COMMENT.sub("", file.read_text()))
        text = VISIBILITY.sub("pub", text)
        crate[place(name)] = Module(name.as_posix(), text, set(ITEM.findall(text)))
    for at, module in crate.items():
        for use in USE.findall(module.text):
            for parts, known_as in flattened(use):
                if parts[0] in module.items and parts[0] not in ("crate", "self", "super"):
                    parts = ("self", *parts)
                path = absolute(parts, at)
                if path is not None and parts[-1] != "*":
                    module.names[known_as] = path
                    module.paths.add(path)
        for text in PATH.findall(USE.sub("", module.text)):
            if (path := absolute(tuple(text.split("::")), at)) is not None:
                module.paths.add(path)
    return crate


def home(path: tuple[str, ...], crate: Crate, depth: int = 0) -> str | None:
    """Return the file that defines what a path names, behind whatever re-exports it."""
    for end in range(len(path), -1, -1):
        module = crate.get(path[:end])
        if module is None:
            continue
        if end < len(path) and path[end] not in module.items and depth < 8:
            behind = module.names.get(path[end])
            if behind is not None:
                return home((*behind, *path[end + 1 :]), crate, depth + 1)
        return module.file
    return None


def imports(crate: Crate) -> dict[str, set[str]]:
    """Return which files each file names."""
    graph: dict[str, set[str]] = {module.file: set() for module in crate.values()}
    for module in crate.values():
        found = {home(path, crate) for path in module.paths}
        graph[module.file] = {file for file in found if file is not None} - {module.file}
    return graph


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the groups of files of which each reaches every other (Tarjan)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(file: str) -> None:
        order[file] = low[file] = len(order)
        stack.append(file)
        for other in sorted(graph[file]):
            if other not in order:
                visit(other)
            if other in stack:
                low[file] = min(low[file], low[other])
        if low[file] == order[file]:
            group = [stack.pop()]
            while group[-1] != file:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for file in sorted(graph):
        if file not in order:
            visit(file)
    return found


def test_no_files_of_the_crate_import_each_other_in_a_circle() -> None:
    graph = imports(read(SOURCES))
    assert len(graph) > 100
    assert graph["remux/track.rs"] >= {"remux/content.rs", "ts/packet.rs", "options.rs"}
    left = [
        f"{file} -> {', '.join(sorted(graph[file] & set(group)))}"
        for group in circles(graph)
        if frozenset(group) not in UNAVOIDABLE
        for file in group
    ]
    assert not left, "\n".join(["these files import each other:", *left])


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"lib.rs": "mod a; mod b;", "a.rs": "use crate::b::B;", "b.rs": "pub struct B;"}, []),
        (
            {
                "lib.rs": "mod a; mod b;",
                "a.rs": "use crate::b::B;\npub struct A;",
                "b.rs": "pub struct B;\nfn f(a: super::a::A) {}",
            },
            [["a.rs", "b.rs"]],
        ),
        (
            {
                "lib.rs": "mod a;\nmod b;\npub use a::A;\npub use b::B;",
                "a.rs": "use crate::B;\npub struct A;",
                "b.rs": "pub struct B;",
            },
            [],
        ),
        (
            {
                "lib.rs": "mod a;\nmod b;\npub use a::A;\npub use b::B;",
                "a.rs": "use crate::{B};\npub struct A;",
                "b.rs": "use crate::A as Other;\npub struct B;",
            },
            [["a.rs", "b.rs"]],
        ),
        (
            {
                "lib.rs": "mod a;",
                "a/mod.rs": "mod c;\npub use c::C;\npub struct A;",
                "a/c.rs": "use super::A;\npub struct C;",
            },
            [["a/c.rs", "a/mod.rs"]],
        ),
        (
            {
                "lib.rs": "mod a;\nmod b;",
                "a.rs": "use crate::b::B;\npub struct A;",
                "b.rs": "pub struct B;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}",
            },
            [],
        ),
    ],
    ids=[
        "one way",
        "each other",
        "re-export",
        "circle behind re-exports",
        "parent and child",
        "tests",
    ],
)
def test_circles_are_seen_through_re_exports_and_in_paths(
    files: Mapping[str, str], expected: list[list[str]], tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert circles(imports(read(tmp_path))) == expected
