"""What there is to know about a setting beside its value: how the file, the environment and the
command line call it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, SecretStr
from pydantic.fields import FieldInfo

VARIABLE_PREFIX = "XG2G_"
FILE_SUFFIX = "_FILE"
"""Behind a secret's variable (and, in lower case, its key): a file that holds the secret."""


class Section(BaseModel):
    """A group of settings; a mapping in the file."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_default=True,
        allow_inf_nan=False,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Annotates a field of a `Section` with its names. Without one it has no flag, and its variable
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
class Setting:
    """One setting under all its names."""

    section: str
    name: str
    names: Names
    field: FieldInfo

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
    def meaning(self) -> str:
        """Its docstring on one line."""
        return " ".join((self.field.description or "").split())

    @property
    def default(self) -> Any:
        return self.field.default

    @property
    def default_text(self) -> str:
        """The default as it is written in a file; empty where nothing is the default."""
        return as_text(self.default)

    @property
    def is_secret(self) -> bool:
        """Not to be shown, and allowed to stand in a file of its own."""
        annotation = self.field.annotation
        return SecretStr in (annotation, *get_args(annotation))

    @property
    def is_live(self) -> bool:
        """A reload changes it in a running daemon."""
        return not any(isinstance(item, RestartNeeded) for item in self.field.metadata)

    @property
    def is_switch(self) -> bool:
        return self.field.annotation is bool

    @property
    def is_list(self) -> bool:
        """Its flag may be given several times."""
        return self.field.annotation == tuple[str, ...]


@cache
def settings_of(model: type[BaseModel]) -> Mapping[str, Setting]:
    """Every setting of a model of sections by its key, in the order of their declaration."""
    found: dict[str, Setting] = {}
    for section, group in model.model_fields.items():
        assert isinstance(group.annotation, type) and issubclass(group.annotation, Section)
        for name, field in group.annotation.model_fields.items():
            names = next((item for item in field.metadata if isinstance(item, Names)), Names())
            setting = Setting(section, name, names, field)
            found[setting.key] = setting
    return found


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
