"""The settings as they count, for people to read: without secrets, with the place of each."""

from collections.abc import Iterator
from dataclasses import dataclass

from .given import without_password
from .load import Configuration
from .setting import as_text, settings_of
from .settings import Settings

HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting as it counts."""

    key: str
    value: str
    """As in a file; `HIDDEN` for a secret, and in place of a password in a URL."""
    place: str
    """`default`, `config.yaml:12`, `XG2G_PORT`, `--port`."""


def effective(configuration: Configuration) -> Iterator[Effective]:
    """Every setting, in the order of the file."""
    for key, setting in settings_of(Settings).items():
        value = getattr(getattr(configuration.settings, setting.section), setting.name)
        if setting.is_secret:
            text = HIDDEN if value is not None else ""
        else:
            text = without_password(as_text(value))
        yield Effective(key, text, configuration.places.get(key, "default"))
