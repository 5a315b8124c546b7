"""The entries of a YAML file, each with its line number.

The file is composed into nodes and never constructed into objects, so each value stays the text
that was written: `password: 0123` keeps its zero, `no` is Norwegian as a language and false as a
switch, and aliases are not multiplied.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from errno import EACCES
from pathlib import Path

import yaml

from .source import Value

SIZE_LIMIT_BYTES = 256 * 1024
ENTRY_LIMIT = 2000
"""Maximum number of entries; real files have some dozens. Aliases repeat entries."""

NULLS = frozenset(("", "~", "null", "Null", "NULL"))
"""Plain scalars that mean null (YAML 1.2, 10.3.2)."""
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map"))


@dataclass(frozen=True, slots=True)
class Entry:
    """`key: value`, or `key:` with entries below it."""

    key: str
    """Full name: `receiver.url`."""
    line: int
    value: Value | None = field(default=None, repr=False)
    """None for a null entry."""
    invalid: str | None = None
    """Why no setting accepts this kind of value."""
    children: "tuple[Entry, ...] | None" = None


@dataclass(slots=True)
class Document:
    """The content of a file."""

    entries: tuple[Entry, ...] = ()
    problems: list[str] = field(default_factory=list)
    """One line each, with the file and, if known, the line number."""
    is_public: bool = False
    """True if every user of the computer can read the file."""


class _WholeFileProblem(Exception):
    """A problem that ends the reading of the file."""


def read_document(path: Path) -> Document:
    """Return the content of a file, with its problems."""
    document = Document()
    try:
        root = _compose(_text_of(path, document), path)
        document.entries = _Walk(path, document.problems).top(root)
    except _WholeFileProblem as problem:
        document.problems.append(str(problem))
    return document


def _text_of(path: Path, document: Document) -> str:
    try:
        with path.open("rb") as file:
            # Windows: access lists decide, and these bits are always set.
            document.is_public = os.name != "nt" and bool(path.stat().st_mode & stat.S_IROTH)
            content = file.read(SIZE_LIMIT_BYTES + 1)
    except OSError as error:
        advice = (
            "; give the user that runs xg2g permission to read it" if error.errno == EACCES else ""
        )
        raise _WholeFileProblem(f"cannot read {path}: {error.strerror}{advice}") from None
    if len(content) > SIZE_LIMIT_BYTES:
        limit = f"{SIZE_LIMIT_BYTES // 1024} KiB"
        raise _WholeFileProblem(f"{path}: too big for a settings file; the limit is {limit}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_text(path, content, error.start) from None
    if "\0" in text:
        # UTF-16 without a byte order mark, or a binary file.
        raise _not_text(path, content, content.index(0))
    return text


def _not_text(path: Path, content: bytes, position: int) -> _WholeFileProblem:
    line = content.count(b"\n", 0, position) + 1
    return _WholeFileProblem(f"{path}:{line}: not UTF-8 text; save the file as UTF-8")


def _compose(text: str, path: Path) -> yaml.Node | None:
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _WholeFileProblem(f"{path}:{line}: remove the control character") from None
    except yaml.MarkedYAMLError as error:
        raise _WholeFileProblem(f"{path}:{_syntax_trouble(error, text)}") from None
    except RecursionError:
        raise _WholeFileProblem(f"{path}: nested too deeply for settings") from None
    return root


def _syntax_trouble(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    number = mark.line + 1 if mark else 1
    line = dict(enumerate(text.splitlines(), start=1)).get(number, "")
    problem = error.problem or error.context or ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return f"{number}: indented with a tab; use spaces"
    if "'\\t' that cannot start" in problem:
        return f"{number}: a tab before a value; use spaces"
    if "single document" in str(error.context):
        return f"{number}: a second document begins here (---); keep all settings in one document"
    if "mapping values are not allowed" in problem:
        return f"{number}: unexpected colon; quote the value, or check the indentation"
    if "undefined alias" in problem:
        return f"{number}: {problem}; quote values that begin with *"
    return f"{number}: invalid YAML: {problem}"


class _Walk:
    """Collects the entries of sections; settings are not nested more deeply."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self._path = path
        self._problems = problems
        self._entries = 0

    def top(self, root: yaml.Node | None) -> tuple[Entry, ...]:
        if root is None or _is_null(root):
            return ()
        if not isinstance(root, yaml.MappingNode):
            raise _WholeFileProblem(
                f"{self._path}:{root.start_mark.line + 1}: not a settings file; write the "
                "name of a section and a colon, and below it, indented, name: value"
            )
        return tuple(self._mapping(root, ""))

    def _mapping(self, mapping: yaml.MappingNode, prefix: str) -> Iterator[Entry]:
        lines: dict[str, int] = {}
        for key_node, node in mapping.value:
            self._entries += 1
            if self._entries > ENTRY_LIMIT:
                raise _WholeFileProblem(f"{self._path}: more than {ENTRY_LIMIT} entries")
            line = key_node.start_mark.line + 1
            key = f"{prefix}{key_node.value}"
            if not isinstance(key_node, yaml.ScalarNode):
                self._complain(line, "a name must be plain text")
            elif key_node.value == "<<" and key_node.style is None:
                self._complain(line, "merge keys (<<) are not supported; write out the settings")
            elif not prefix and "." in key:
                section, _, name = key.partition(".")
                self._complain(line, f"write {section}: and below it, indented, {name}:")
            elif key in lines:
                self._complain(line, f"{key} is already set in line {lines[key]}; keep one of them")
            else:
                lines[key] = line
                yield self._entry(key, line, node)

    def _entry(self, key: str, line: int, node: yaml.Node) -> Entry:
        if node.tag not in _PLAIN_TAGS:
            return Entry(key, line, invalid="tags (!) are not supported; remove it")
        if isinstance(node, yaml.MappingNode):
            if "." in key:
                return Entry(key, line, invalid="write a value here, not settings below it")
            return Entry(key, line, children=tuple(self._mapping(node, f"{key}.")))
        if isinstance(node, yaml.SequenceNode):
            if all(_is_plain(item) for item in node.value):
                values = (item.value for item in node.value if not _is_null(item))
                return Entry(key, line, tuple(map(str, values)))
            return Entry(key, line, invalid="only a list of plain values is allowed here")
        if _is_null(node):
            return Entry(key, line)
        if node.value.startswith("${") and node.value.endswith("}"):
            return Entry(
                key,
                line,
                invalid=f"{node.value} is not replaced by a variable; remove the line and set the "
                "variable of this setting, which overrides the file",
            )
        return Entry(key, line, str(node.value))

    def _complain(self, line: int, what: str) -> None:
        self._problems.append(f"{self._path}:{line}: {what}")


def _is_plain(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag in _PLAIN_TAGS


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in NULLS
