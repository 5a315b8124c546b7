"""The settings of all sources, combined and validated."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from xg2g.errors import UsageError
from xg2g.receiver.address import ReceiverAddress

from .environment import CONFIG_VARIABLE, read_environment
from .file import find_file, read_file
from .secret import HIDDEN, holds_password, without_password
from .setting import Setting, as_text, sections_of, settings_of
from .settings import Settings
from .source import Source, SourcedValue, Value, is_text


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One setting as it is shown to people."""

    key: str
    value: str
    """As in a file; `HIDDEN` for a secret, and in place of a password in a URL."""
    place: str
    """`default`, `config.yaml:12`, `XG2G_PORT`, `--port`."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings and their sources."""

    settings: Settings
    places: Mapping[str, str]
    """The place of each setting that is not a default, by key."""
    notes: tuple[str, ...]
    """Warnings, one line each: older names, unknown variables."""
    file: Path | None
    """The file that was read, if there is one."""

    def effective(self) -> Iterator[EffectiveSetting]:
        """Yield every setting in the order of the file, without secrets."""
        for key, setting in settings_of(Settings).items():
            value = getattr(getattr(self.settings, setting.section), setting.name)
            if setting.is_secret:
                text = HIDDEN if value is not None else ""
            else:
                text = without_password(as_text(value))
            yield EffectiveSetting(key, text, self.places.get(key, "default"))


class ConfigurationError(UsageError):
    """Settings that are invalid."""

    def __init__(self, problems: tuple[str, ...], notes: tuple[str, ...] = ()) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        """One line each."""
        self.notes = notes


def load(
    flags: Mapping[str, Value] | None = None,
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Configuration:
    """Return the settings. Flags (by key) override variables, variables override the file, and the
    file overrides defaults.

    The file is `file`, else the one that `XG2G_CONFIG` names, else the first that `find_file`
    finds. Raises `ConfigurationError` with every problem. Nothing else validates a value.
    """
    environment = os.environ if environment is None else environment
    settings = settings_of(Settings)
    path = chosen_file(file, environment)
    sources = (
        read_file(path, settings) if path else Source(),
        read_environment(environment, settings),
        _read_flags(flags or {}, settings),
    )
    sourced: dict[str, SourcedValue] = {}
    parsed: dict[str, Any] = {}
    problems: list[str] = []
    notes: list[str] = []
    for source in sources:
        # Overridden values, too: an invalid value is an error in every source.
        parsed |= _parse(source, settings)
        sourced |= source.values
        problems += source.problems
        notes += source.notes
    checked = Settings()
    if not problems:
        checked = _settings(parsed, settings)
        for key, problem in _contradictions(checked):
            problems.append(f"{sourced[key].subject if key in sourced else key}: {problem}")
        notes += _without_effect(checked, sourced)
    if problems:
        problems.sort(key=lambda problem: _line_in(path, problem))
        raise ConfigurationError(tuple(problems), tuple(notes))
    places = {key: value.place for key, value in sourced.items()}
    return Configuration(checked, MappingProxyType(places), tuple(notes), path)


def chosen_file(file: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the file to read: the named one, else the first that `find_file` finds."""
    if file is not None:
        return file
    if named := environment.get(CONFIG_VARIABLE):
        return Path(named)
    return find_file(environment)


def _read_flags(flags: Mapping[str, Value], settings: Mapping[str, Setting]) -> Source:
    source = Source()
    for key, value in flags.items():
        flag = settings[key].names.flag or key
        source.values[key] = SourcedValue(value, flag, flag)
        if holds_password(value):
            source.notes.append(
                f"{flag}: every user of this computer can see the password in the process list; "
                "set XG2G_RECEIVER_USER and XG2G_RECEIVER_PASSWORD instead, or "
                "XG2G_RECEIVER_PASSWORD_FILE to a file that holds the password"
            )
    return source


def _parse(source: Source, settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Return the valid values of a source, and add a problem to it for each invalid one."""
    parsed: dict[str, Any] = {}
    for key, sourced in source.values.items():
        try:
            if not is_text(sourced.value):
                raise ValueError("not UTF-8 text")
            parsed[key] = settings[key].parse(sourced.value)
        except ValueError as error:
            source.problems.append(f"{sourced.subject}: {error}")
    return parsed


def _settings(parsed: Mapping[str, Any], settings: Mapping[str, Setting]) -> Settings:
    values: dict[str, dict[str, Any]] = {}
    for key, value in parsed.items():
        setting = settings[key]
        values.setdefault(setting.section, {})[setting.name] = value
    sections = sections_of(Settings)
    return Settings(**{name: sections[name](**found) for name, found in values.items()})


def _contradictions(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield key and problem of values that are valid alone, but not together."""
    receiver, server = settings.receiver, settings.server
    address = ReceiverAddress.parse(receiver.url) if receiver.url else None
    if receiver.password is not None and receiver.user is None:
        yield (
            "receiver.password",
            "receiver.password is set without receiver.user; set it to root, the user of most "
            "receivers",
        )
    if address is not None and address.credentials is not None and receiver.user is not None:
        yield (
            "receiver.user",
            "the receiver's URL also contains a user; keep one of them",
        )
    if address is not None and address.port == receiver.stream_port:
        yield (
            "receiver.url",
            f"port {address.port} is the stream port; write the URL of the web interface, which is "
            "on port 80 of most receivers",
        )
    if server.token_for_reading and server.token is None:
        yield (
            "server.token_for_reading",
            "there is no token to require; set server.token, or XG2G_TOKEN_FILE to a file that "
            "holds the token",
        )


def _without_effect(settings: Settings, sourced: Mapping[str, SourcedValue]) -> Iterator[str]:
    for key in ("external.fallback", "external.transcoder_token"):
        if key in sourced and not settings.external.transcoder:
            yield f"{sourced[key].subject}: no effect without external.transcoder; set both"


def _line_in(file: Path | None, problem: str) -> float:
    """Return a sort key: lines of the file from top to bottom, then everything else."""
    before, _, rest = problem.partition(f"{file}:")
    number = rest.partition(":")[0]
    return int(number) if not before and number.isdigit() else float("inf")
