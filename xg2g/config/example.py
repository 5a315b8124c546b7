"""An example settings file: every setting with its meaning, commented out unless chosen."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby

import yaml

from .setting import Setting, sections_of, settings_of
from .settings import Settings
from .source import Value
from .yaml_entries import NULLS

WIDTH = 100

_HEAD = """\
# Settings of xg2g. A line that begins with # and no space holds a setting with its default, or with
# an example: remove the # and change the value. `xg2g config check` validates the file.
"""

_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9./:@_+-]*[A-Za-z0-9/])?")


def example(chosen: Mapping[str, Value] | None = None) -> str:
    """Return the text of a file that sets the chosen values, by key."""
    return "".join(f"{line}\n" for line in _lines(chosen or {}))


def _lines(chosen: Mapping[str, Value]) -> Iterator[str]:
    yield _HEAD.rstrip()
    known, sections = settings_of(Settings), sections_of(Settings)
    if unknown := chosen.keys() - known.keys():
        raise KeyError(*unknown)
    for section, members in groupby(known.values(), key=lambda setting: setting.section):
        yield ""
        yield from _comment(sections[section].__doc__ or "", "")
        yield f"{section}:"
        for setting in members:
            yield from _comment(setting.meaning, "  ")
            if setting.key in chosen:
                yield f"  {setting.name}: {_as_yaml(chosen[setting.key])}"
            else:
                yield f"  #{setting.name}: {_as_yaml(_sample(setting))}"
            if setting.is_secret and setting.key not in chosen:
                yield f"  #{setting.name}_file: {setting.name}"


def _comment(text: str, indentation: str) -> list[str]:
    prefix = f"{indentation}# "
    return textwrap.wrap(text, WIDTH, initial_indent=prefix, subsequent_indent=prefix)


def _sample(setting: Setting) -> str:
    return setting.default_text or setting.example


def _as_yaml(value: Value) -> str:
    """Return a value as YAML, quoted if necessary."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_as_yaml, value))}]"
    if _PLAIN.fullmatch(value) and value not in NULLS:
        return value
    quoted: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=float("inf"))
    return quoted.strip()
