"""What there is to know about a setting beside its value: how the file, the environment and the
command line call it."""

import ast
import sys
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar, get_args

from .given import Value

T = TypeVar("T")

VARIABLE_PREFIX = "XG2G_"
FILE_SUFFIX = "_FILE"
"""Behind a secret's variable (and, in lower case, its key): a file that holds the secret."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that shows nowhere by itself."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reads:
    """Annotates a type with how a value of it is read. `read` raises `ValueError` with one line for
    a user, which repeats no secret."""

    read: Callable[[Value], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Annotates a field of a section with its names. Without one it has no flag, and its variable
    is `XG2G_SECTION_KEY`."""

    flag: str | None = None
    metavar: str | None = None
    """Stands for the value in the help; flags without a value, which are on or off, have none."""
    variable: str | None = None
    """Without the prefix."""
    older_variables: tuple[str, ...] = ()
    """Names that the predecessor had for the same thing; without the prefix."""
    older_keys: tuple[str, ...] = ()
    """The same in its file, from the top: `openWebIF.baseUrl`."""


class RestartNeeded:
    """Annotates a field that a running daemon cannot change."""


@dataclass(frozen=True, slots=True)
class Example:
    """Annotates a field without a default with what could stand there."""

    text: str


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting under all its names."""

    section: str
    name: str
    type: Any
    default: Any
    names: Names
    meaning: str
    """On one line."""
    example: str
    """What could stand there; empty where nobody gave one."""
    is_live: bool
    """A reload changes it in a running daemon."""
    read: Callable[[Value], Any] = field(repr=False)
    """Make a value of what was written. Raises `ValueError` with one line for a user."""

    @property
    def key(self) -> str:
        """Its name in the file, from the top: `receiver.stream_port`."""
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        return VARIABLE_PREFIX + (self.names.variable or f"{self.section}_{self.name}".upper())

    @property
    def older_variables(self) -> tuple[str, ...]:
        return tuple(VARIABLE_PREFIX + name for name in self.names.older_variables)

    @property
    def default_text(self) -> str:
        """The default as it is written in a file; empty where nothing is the default."""
        return as_text(self.default)

    @property
    def is_secret(self) -> bool:
        """Not to be shown, and allowed to stand in a file of its own."""
        return Secret in get_args(self.type)

    @property
    def is_switch(self) -> bool:
        return self.type is bool

    @property
    def is_list(self) -> bool:
        """Its flag may be given several times."""
        return bool(self.type == tuple[str, ...])


@cache
def settings_of(model: type) -> Mapping[str, Setting]:
    """Every setting of a dataclass of sections by its key, in the order of their declaration."""
    found: dict[str, Setting] = {}
    for section, group in sections_of(model).items():
        meanings = _meanings(group.__module__)
        for item in fields(group):
            setting = _setting(section, item, meanings[group.__name__, item.name])
            found[setting.key] = setting
    return found


def sections_of(model: type) -> Mapping[str, type]:
    """Name -> dataclass, in the order of their declaration."""
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
        is_live=not any(isinstance(each, RestartNeeded) for each in annotations),
        read=next(each.read for each in annotations if isinstance(each, Reads)),
    )


@cache
def _meanings(module: str) -> Mapping[tuple[str, str], str]:
    """Class and field -> the docstring below it. Python drops those, so the source tells;
    scripts/xg2g.spec puts it into the single executable, too."""
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
    """A value as it is written in a file or variable; empty for nothing. Not for secrets."""
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
    """An item of a list on one line; in quotation marks where it would be cut otherwise."""
    if "," in item or item.startswith('"'):
        return '"' + item.replace('"', '""') + '"'
    return item
