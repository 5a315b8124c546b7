"""The description of a setting: its key, variable, flag, type, default and meaning."""

import ast
import sys
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar, get_args

from .secret import Secret
from .source import Value

T = TypeVar("T")

VARIABLE_PREFIX = "XG2G_"
FILE_SUFFIX = "_FILE"
"""Suffix of a secret's variable (and, in lower case, of its key) that names a file which holds the
secret."""


@dataclass(frozen=True, slots=True)
class Parser:
    """Annotation of a type: how its values are parsed."""

    parse: Callable[[Value], Any]
    """Raises `ValueError` with one line for a user, which repeats no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Annotation of a setting: its names. Without it, the setting has no flag and its variable is
    `XG2G_SECTION_KEY`."""

    flag: str | None = None
    metavar: str | None = None
    """Placeholder of the value in the help; None for flags that take no value."""
    variable: str | None = None
    """Name of the variable, without the prefix."""
    older_variables: tuple[str, ...] = ()
    """The predecessor's variables for this setting, without the prefix."""
    older_keys: tuple[str, ...] = ()
    """The predecessor's keys for this setting: `openWebIF.baseUrl`."""


@dataclass(frozen=True, slots=True)
class Example:
    """Annotation of a setting without a default: an example of a value."""

    text: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting with all its names."""

    section: str
    name: str
    type: Any
    default: Any
    names: Names
    meaning: str
    """The docstring, on one line."""
    example: str
    """An example of a value; empty if there is none."""
    parse: Callable[[Value], Any] = field(repr=False)
    """Return the value of a text. Raises `ValueError` with one line for a user."""

    @property
    def key(self) -> str:
        """Full name in the file: `receiver.stream_port`."""
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        return VARIABLE_PREFIX + (self.names.variable or f"{self.section}_{self.name}".upper())

    @property
    def older_variables(self) -> tuple[str, ...]:
        return tuple(VARIABLE_PREFIX + name for name in self.names.older_variables)

    @property
    def default_text(self) -> str:
        """The default as it is written in a file; empty if there is none."""
        return as_text(self.default)

    @property
    def is_secret(self) -> bool:
        """True for a value that is never shown and may be read from a file of its own."""
        return Secret in get_args(self.type)

    @property
    def is_switch(self) -> bool:
        return self.type is bool

    @property
    def is_list(self) -> bool:
        """True if the flag may be repeated."""
        return bool(self.type == tuple[str, ...])


@cache
def settings_of(model: type) -> Mapping[str, Setting]:
    """Return the settings of a dataclass of sections, by key, in the order of declaration."""
    found: dict[str, Setting] = {}
    for section, group in sections_of(model).items():
        meanings = _meanings(group.__module__)
        for item in fields(group):
            setting = _setting(section, item, meanings[group.__name__, item.name])
            found[setting.key] = setting
    return found


def sections_of(model: type) -> Mapping[str, type]:
    """Return the sections by name, in the order of declaration."""
    return {item.name: item.type for item in fields(model) if isinstance(item.type, type)}


def _setting(section: str, item: "Field[Any]", meaning: str) -> Setting:
    annotations = item.type.__metadata__  # type: ignore[union-attr]

    def said(kind: type[T], default: T) -> T:
        return next((each for each in annotations if isinstance(each, kind)), default)

    return Setting(
        section=section,
        name=item.name,
        type=item.type.__origin__,  # type: ignore[union-attr]
        default=item.default,
        names=said(Names, Names()),
        meaning=" ".join(meaning.split()),
        example=said(Example, Example("")).text,
        parse=next(each.parse for each in annotations if isinstance(each, Parser)),
    )


@cache
def _meanings(module: str) -> Mapping[tuple[str, str], str]:
    """Return the docstring below each field, by class and field.

    Python drops these docstrings, so they are parsed from the source, which scripts/xg2g.spec
    adds to the single executable as well.
    """
    loader = sys.modules[module].__loader__
    source = loader.get_source(module)  # type: ignore[union-attr]
    assert source is not None, f"the source of {module} is not here"
    return {
        (group.name, before.target.id): str(after.value.value)
        for group in ast.parse(source).body
        if isinstance(group, ast.ClassDef)
        for before, after in pairwise(group.body)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    }


def as_text(value: object) -> str:
    """Return a value as it is written in a file or variable; empty for None. Not for secrets."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ",".join(_quoted(as_text(item)) for item in value)
    return str(value)


def _quoted(item: str) -> str:
    """Return an item of a one-line list, quoted if it contains a separator."""
    if "," in item or item.startswith('"'):
        return '"' + item.replace('"', '""') + '"'
    return item
