"""Settings from environment variables."""

import re
from collections.abc import Iterator, Mapping

from .predecessor import CONVERTED_VARIABLES, GONE, why_gone
from .secret import read_secret
from .setting import FILE_SUFFIX, VARIABLE_PREFIX, Setting
from .source import Source, SourcedValue, nearest

CONFIG_VARIABLE = "XG2G_CONFIG"
"""Variable with the path of the file."""

_ELSEWHERE = re.compile(
    r"XG2G_(CONFIG|LIBRARY|FFMPEG_SOURCE|CODECS_DIR|WHEEL_PLATFORM|CAPTURES|PUBLISH|STARTED_BY|WRITE_REFERENCE"
    r"|TRANSCODER(_.*)?)$"
)
"""Variables that are not settings: of the build, the tests, docker-compose.yml and the transcoder
service."""

_SLIP = 0.9
"""Similarity of a misspelt name: at most one letter in ten is wrong."""

_KUBERNETES = re.compile(r"XG2G_(PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?|SERVICE_(HOST|PORT(_\w+)?))$")
"""Variables that Kubernetes sets in every pod next to a service called xg2g. `XG2G_PORT` is a URL
there."""


def read_environment(environment: Mapping[str, str], settings: Mapping[str, Setting]) -> Source:
    """Return the settings of the variables. Empty variables are ignored."""
    source = Source()
    present = {
        name: value
        for name, value in environment.items()
        if name.startswith(VARIABLE_PREFIX) and value and not _is_from_kubernetes(name, value)
    }
    for setting in settings.values():
        for name in (setting.variable, *setting.older_variables):
            _take(source, setting, name, present)
    for name in [name for name in CONVERTED_VARIABLES if name in present]:
        _convert(source, name, present.pop(name), settings)
    for name in sorted(present):
        if not _ELSEWHERE.match(name) or name.removeprefix(VARIABLE_PREFIX) in GONE:
            source.notes.append(_unknown(name, settings))
    return source


def variables_of(setting: Setting) -> Iterator[str]:
    """Yield every variable of a setting, the preferred one first."""
    for name in (setting.variable, *setting.older_variables):
        yield name
        if setting.is_secret:
            yield name + FILE_SUFFIX


def _take(source: Source, setting: Setting, name: str, present: dict[str, str]) -> None:
    value = present.pop(name, None)
    file = present.pop(name + FILE_SUFFIX, None) if setting.is_secret else None
    if value is not None and file is not None:
        source.problems.append(f"{name} and {name}{FILE_SUFFIX} are both set; keep one of them")
        return
    if file is not None:
        name += FILE_SUFFIX
        try:
            value = read_secret(file)
        except ValueError as error:
            source.problems.append(f"{name}: {error}")
            return
    if value is None:
        return
    newer = setting.variable + (FILE_SUFFIX if file is not None else "")
    if name != newer:
        source.notes.append(f"{name} is now called {newer}")
    source.add(setting.key, SourcedValue(value, name, name))


def _convert(source: Source, name: str, value: str, settings: Mapping[str, Setting]) -> None:
    try:
        values = CONVERTED_VARIABLES[name](value)
    except ValueError as error:
        source.problems.append(f"{name}: {error}")
        return
    source.notes.append(f"{name} is now {' and '.join(settings[key].variable for key in values)}")
    for key, converted in values.items():
        source.add(key, SourcedValue(converted, name, name))


def _is_from_kubernetes(name: str, value: str) -> bool:
    return bool(_KUBERNETES.match(name)) and (name != "XG2G_PORT" or "://" in value)


def _unknown(name: str, settings: Mapping[str, Setting]) -> str:
    bare = name.removeprefix(VARIABLE_PREFIX)
    by_key = {key.replace(".", "_").upper(): it.variable for key, it in settings.items()}
    if meant := by_key.get(bare):
        return f"{name} is not a setting; did you mean {meant}?"
    known = {
        variable.removeprefix(VARIABLE_PREFIX): variable
        for setting in settings.values()
        for variable in variables_of(setting)
    }
    known[CONFIG_VARIABLE.removeprefix(VARIABLE_PREFIX)] = CONFIG_VARIABLE
    names = by_key | known
    # Misspelt names first: the patterns of the predecessor's names match whole families.
    if near := nearest(bare, names, cutoff=_SLIP):
        return f"{name} is not a setting; did you mean {names[near]}?"
    if why := why_gone(bare):
        return f"{name} is ignored: {why}"
    near = nearest(bare, known)
    return f"{name} is not a setting" + (f"; did you mean {known[near]}?" if near else "")
