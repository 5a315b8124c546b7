"""What a source of settings gave: texts, where each stands, and what is wrong with the rest."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

SECRET_LIMIT_BYTES = 4096

_PASSWORD_IN_URL = re.compile(r"(//[^/@]*:)[^/@]+@")

Value = str | tuple[str, ...]
"""As it was written. Turning it into a number is the same for every source, and comes later."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value, and where it stands."""

    value: Value = field(repr=False)
    place: str
    """For a list of settings: `config.yaml:12`, `XG2G_PORT`, `--port`."""
    subject: str
    """How a complaint about it begins: `config.yaml:12: server.port`, `XG2G_PORT`, `--port`."""


@dataclass(slots=True)
class Reading:
    """Everything that one source, or all of them, gave."""

    values: dict[str, Given] = field(default_factory=dict)
    """By the setting's key."""
    problems: list[str] = field(default_factory=list)
    """One line each, to be mended before anything starts."""
    notes: list[str] = field(default_factory=list)
    """One line each, good to know."""

    def add(self, key: str, given: Given) -> None:
        """Take a value, unless this source has already said one under a newer name."""
        if key in self.values:
            self.notes.append(f"{given.subject}: ignored, since {self.values[key].place} counts")
        else:
            self.values[key] = given

    def overlay(self, other: "Reading") -> None:
        """Put a source that counts for more on top."""
        self.values |= other.values
        self.problems += other.problems
        self.notes += other.notes


def read_secret(path: str) -> str:
    """Return what a file of a secret holds, without the line's end. Raises `ValueError`."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(SECRET_LIMIT_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None
    if len(content) > SECRET_LIMIT_BYTES:
        raise ValueError(f"{path} is too big for a password")
    try:
        secret = content.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    if not secret:
        raise ValueError(f"{path} is empty")
    if "\n" in secret:
        raise ValueError(f"{path} has several lines; a password is one")
    return secret


def is_text(value: Value) -> bool:
    """Whether it can be written as UTF-8. A variable of other bytes cannot."""
    try:
        "".join(value).encode()
    except UnicodeEncodeError:
        return False
    return True


def holds_password(value: Value) -> bool:
    """Whether it is a URL with a password in it."""
    return isinstance(value, str) and bool(_PASSWORD_IN_URL.search(value))


def without_password(text: str) -> str:
    """The text with the password of a URL struck out."""
    return _PASSWORD_IN_URL.sub(r"\1***@", text)


def nearest(name: str, names: Iterable[str], *, cutoff: float = 0.7) -> str | None:
    """The name that was misspelt, if one is near. `cutoff` is how much of both has to be the same,
    from 0 to 1."""
    return next(iter(get_close_matches(name, list(names), n=1, cutoff=cutoff)), None)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """`; did you mean ...?`, or nothing when nothing is near."""
    near = nearest(name, names)
    return f"; did you mean {near}?" if near else ""
