"""A source of settings: its values as they were written, their places, and its problems."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

Value = str | tuple[str, ...]
"""A value as it was written, before it is parsed."""


@dataclass(frozen=True, slots=True)
class SourcedValue:
    """A value and the place where it is set."""

    value: Value = field(repr=False)
    place: str
    """For a list of settings: `config.yaml:12`, `XG2G_PORT`, `--port`."""
    subject: str
    """Start of an error line: `config.yaml:12: server.port`, `XG2G_PORT`, `--port`."""


@dataclass(slots=True)
class Source:
    """The content of one source."""

    values: dict[str, SourcedValue] = field(default_factory=dict)
    """By the setting's key."""
    problems: list[str] = field(default_factory=list)
    """Errors, one line each; xg2g does not start with any."""
    notes: list[str] = field(default_factory=list)
    """Warnings, one line each."""

    def add(self, key: str, value: SourcedValue) -> None:
        """Add a value, unless this source has already set the key under a newer name."""
        if key in self.values:
            self.notes.append(
                f"{value.subject}: ignored; {self.values[key].place} takes precedence"
            )
        else:
            self.values[key] = value


def is_text(value: Value) -> bool:
    """Return True if a value can be encoded as UTF-8. Variables may hold other bytes."""
    try:
        "".join(value).encode()
    except UnicodeEncodeError:
        return False
    return True


def nearest(name: str, names: Iterable[str], *, cutoff: float = 0.7) -> str | None:
    """Return the name that was probably meant, or None. `cutoff` is the required similarity, from
    0 to 1."""
    return next(iter(get_close_matches(name, list(names), n=1, cutoff=cutoff)), None)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return `; did you mean ...?`, or an empty text when no name is near."""
    near = nearest(name, names)
    return f"; did you mean {near}?" if near else ""
