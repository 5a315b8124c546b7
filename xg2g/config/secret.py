"""Secrets: values that are never shown, and passwords inside URLs."""

import re
from dataclasses import dataclass, field
from pathlib import Path

SECRET_LIMIT_BYTES = 4096
"""Maximum size of a file that holds a secret."""

HIDDEN = "***"
"""Shown in place of a secret."""

_PASSWORD_IN_URL = re.compile(r"(//[^/@]*:)[^/@]+@")


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that `repr` and logs do not show."""

    value: str = field(repr=False)


def read_secret(path: str) -> str:
    """Return the secret that a file holds, without the final line break. Raises `ValueError`."""
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
        raise ValueError(f"{path} has several lines; a password is one line")
    return secret


def holds_password(value: str | tuple[str, ...]) -> bool:
    """Return True for a URL with a password in it."""
    return isinstance(value, str) and bool(_PASSWORD_IN_URL.search(value))


def without_password(text: str) -> str:
    """Return a text with the password of any URL replaced by `HIDDEN`."""
    return _PASSWORD_IN_URL.sub(rf"\1{HIDDEN}@", text)
