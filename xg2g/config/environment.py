"""Settings of the environment."""

import re
from collections.abc import Iterator, Mapping

from .given import Given, Reading, nearest, read_secret
from .predecessor import CONVERTED_VARIABLES, GONE, why_gone
from .setting import FILE_SUFFIX, VARIABLE_PREFIX, Setting

CONFIG_VARIABLE = "XG2G_CONFIG"
"""Names the file."""

_ELSEWHERE = re.compile(
    r"XG2G_(CONFIG|LIBRARY|FFMPEG_SOURCE|CODECS_DIR|CAPTURES|PUBLISH|STARTED_BY|WRITE_REFERENCE|TRANSCODER(_.*)?)$"
)
"""Variables that are read in other places: by the build, the tests, docker-compose.yml, the
transcoder service."""

_SLIP = 0.9
"""How alike two names are of which one is a misspelling of the other: one letter in ten or less is
wrong."""

_KUBERNETES = re.compile(r"XG2G_(PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?|SERVICE_(HOST|PORT(_\w+)?))$")
"""What Kubernetes sets in every pod beside a service called xg2g. `XG2G_PORT` is a URL there."""


def read_environment(environment: Mapping[str, str], settings: Mapping[str, Setting]) -> Reading:
    """Read what the variables say. One that is empty says nothing."""
    reading = Reading()
    present = {
        name: value
        for name, value in environment.items()
        if name.startswith(VARIABLE_PREFIX) and value and not _is_of_kubernetes(name, value)
    }
    for setting in settings.values():
        for name in (setting.variable, *setting.older_variables):
            _take(reading, setting, name, present)
    for name in [name for name in CONVERTED_VARIABLES if name in present]:
        _convert(reading, name, present.pop(name), settings)
    for name in sorted(present):
        if not _ELSEWHERE.match(name) or name.removeprefix(VARIABLE_PREFIX) in GONE:
            reading.notes.append(_unknown(name, settings))
    return reading


def variables_of(setting: Setting) -> Iterator[str]:
    """Every variable that sets it, the one to prefer first."""
    for name in (setting.variable, *setting.older_variables):
        yield name
        if setting.is_secret:
            yield name + FILE_SUFFIX


def _take(reading: Reading, setting: Setting, name: str, present: dict[str, str]) -> None:
    value = present.pop(name, None)
    file = present.pop(name + FILE_SUFFIX, None) if setting.is_secret else None
    if value is not None and file is not None:
        reading.problems.append(f"{name} and {name}{FILE_SUFFIX} are both set; keep one of them")
        return
    if file is not None:
        name += FILE_SUFFIX
        try:
            value = read_secret(file)
        except ValueError as error:
            reading.problems.append(f"{name}: {error}")
            return
    if value is None:
        return
    newer = setting.variable + (FILE_SUFFIX if file is not None else "")
    if name != newer:
        reading.notes.append(f"{name} is called {newer} now")
    reading.add(setting.key, Given(value, name, name))


def _convert(reading: Reading, name: str, value: str, settings: Mapping[str, Setting]) -> None:
    try:
        values = CONVERTED_VARIABLES[name](value)
    except ValueError as error:
        reading.problems.append(f"{name}: {error}")
        return
    reading.notes.append(f"{name} is now {' and '.join(settings[key].variable for key in values)}")
    for key, converted in values.items():
        reading.add(key, Given(converted, name, name))


def _is_of_kubernetes(name: str, value: str) -> bool:
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
    # A slip of the keyboard comes first: the predecessor's names are whole families.
    if near := nearest(bare, names, cutoff=_SLIP):
        return f"{name} is not a setting; did you mean {names[near]}?"
    if why := why_gone(bare):
        return f"{name} is ignored: {why}"
    near = nearest(bare, known)
    return f"{name} is not a setting" + (f"; did you mean {known[near]}?" if near else "")
