"""All sources put together and checked."""

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
from .given import Given, Reading, Value, holds_password, is_text
from .setting import Setting, sections_of, settings_of
from .settings import Settings


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, and where they come from."""

    settings: Settings
    places: Mapping[str, str]
    """Where each setting that is not a default stands, by its key."""
    notes: tuple[str, ...]
    """What is good to know, one line each: older names, variables that are no settings."""
    file: Path | None
    """The file that was read, if there is one."""


class ConfigurationError(UsageError):
    """Settings that cannot work."""

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
    """Read the settings: flags (by key) win over variables, they over the file, it over defaults.

    The file is `file`, or the one that `XG2G_CONFIG` names, or the first that is where a file is
    looked for. Raises `ConfigurationError` with everything that is wrong.
    """
    environment = os.environ if environment is None else environment
    settings = settings_of(Settings)
    path = chosen_file(file, environment)
    sources = (
        read_file(path, settings) if path else Reading(),
        read_environment(environment, settings),
        _read_flags(flags or {}, settings),
    )
    reading = Reading()
    for source in sources:
        _check_values(source, settings)
        reading.overlay(source)
    checked = Settings()
    if not reading.problems:
        checked = _checked(reading, settings)
        reading.problems += _contradictions(checked, reading)
        reading.notes += _without_effect(checked, reading)
    if reading.problems:
        raise ConfigurationError(
            tuple(sorted(reading.problems, key=lambda problem: _line_in(path, problem))),
            tuple(reading.notes),
        )
    return Configuration(
        checked,
        MappingProxyType({key: given.place for key, given in reading.values.items()}),
        tuple(reading.notes),
        path,
    )


def chosen_file(file: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The file to read: the one that is named, or the first that is where one is looked for."""
    if file is not None:
        return file
    if named := environment.get(CONFIG_VARIABLE):
        return Path(named)
    return find_file(environment)


def _read_flags(flags: Mapping[str, Value], settings: Mapping[str, Setting]) -> Reading:
    reading = Reading()
    for key, value in flags.items():
        flag = settings[key].names.flag or key
        reading.values[key] = Given(value, flag, flag)
        if holds_password(value):
            reading.notes.append(
                f"{flag}: every user of this computer can read the password among the processes; "
                "set XG2G_RECEIVER_USER and XG2G_RECEIVER_PASSWORD instead, or "
                "XG2G_RECEIVER_PASSWORD_FILE to a file that holds it"
            )
    return reading


def _line_in(file: Path | None, problem: str) -> float:
    """For the order of reading: the file from top to bottom, and behind it everything else."""
    of_file, _, rest = problem.partition(f"{file}:")
    number = rest.partition(":")[0]
    return int(number) if not of_file and number.isdigit() else float("inf")


def _checked(reading: Reading, settings: Mapping[str, Setting]) -> Settings:
    """The settings of values that were checked."""
    values: dict[str, dict[str, Any]] = {}
    for key, given in reading.values.items():
        setting = settings[key]
        values.setdefault(setting.section, {})[setting.name] = setting.read(given.value)
    sections = sections_of(Settings)
    return Settings(**{name: sections[name](**found) for name, found in values.items()})


def _check_values(reading: Reading, settings: Mapping[str, Setting]) -> None:
    """Add what is wrong with each value of a source, also with those that another one outdoes."""
    for key, given in list(reading.values.items()):
        if not is_text(given.value):
            del reading.values[key]
            reading.problems.append(f"{given.subject}: not UTF-8 text")
            continue
        try:
            settings[key].read(given.value)
        except ValueError as error:
            reading.problems.append(f"{given.subject}: {error}")


def _contradictions(settings: Settings, reading: Reading) -> Iterator[str]:
    """Values that are good each, and not together."""
    receiver = settings.receiver
    address = ReceiverAddress.parse(receiver.url) if receiver.url else None

    def subject(key: str) -> str:
        return reading.values[key].subject if key in reading.values else key

    if receiver.password is not None and receiver.user is None:
        yield (
            f"{subject('receiver.password')}: there is no receiver.user to this password; it is "
            "root on most receivers"
        )
    if address is not None and address.credentials is not None and receiver.user is not None:
        yield (
            f"{subject('receiver.user')}: the receiver's URL names a user, too; keep one of them"
        )
    if address is not None and address.port == receiver.stream_port:
        yield (
            f"{subject('receiver.url')}: port {address.port} is the stream port; the URL is that "
            "of the web interface, which is on port 80 of most receivers"
        )
    if settings.server.token_for_reading and settings.server.token is None:
        yield (
            f"{subject('server.token_for_reading')}: there is no token to ask for; set "
            "server.token, or XG2G_TOKEN_FILE to a file that holds one"
        )


def _without_effect(settings: Settings, reading: Reading) -> Iterator[str]:
    for key in ("external.fallback", "external.transcoder_token"):
        if key in reading.values and not settings.external.transcoder:
            subject = reading.values[key].subject
            yield f"{subject}: without effect, since external.transcoder is not set"
