"""A file of settings with everything in it, explained; what is not chosen is a comment."""

import re
import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby

import yaml

from .given import Value
from .setting import Setting, sections_of, settings_of
from .settings import Settings
from .yaml_entries import NULLS

WIDTH = 100

_HEAD = """\
# Settings of xg2g. Behind # without a space stands a setting's default, or an example where there
# is none: take the # away and change it. `xg2g config check` says what is wrong with the file.
"""

_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9./:@_+-]*[A-Za-z0-9/])?")


def example(chosen: Mapping[str, Value] | None = None) -> str:
    """The text of a file in which the chosen values, by key, count."""
    return "".join(f"{line}\n" for line in _lines(chosen or {}))


def _lines(chosen: Mapping[str, Value]) -> Iterator[str]:
    yield _HEAD.rstrip()
    known, sections = settings_of(Settings), sections_of(Settings)
    if strange := chosen.keys() - known.keys():
        raise KeyError(*strange)
    for section, members in groupby(known.values(), key=lambda setting: setting.section):
        yield ""
        yield from _comment(sections[section].__doc__ or "", "")
        yield f"{section}:"
        for setting in members:
            yield from _comment(setting.meaning, "  ")
            if setting.key in chosen:
                yield f"  {setting.name}: {_written(chosen[setting.key])}"
            else:
                yield f"  #{setting.name}: {_written(_sample(setting))}"
            if setting.is_secret and setting.key not in chosen:
                yield f"  #{setting.name}_file: {setting.name}"


def _comment(text: str, indentation: str) -> list[str]:
    prefix = f"{indentation}# "
    return textwrap.wrap(text, WIDTH, initial_indent=prefix, subsequent_indent=prefix)


def _sample(setting: Setting) -> str:
    return setting.default_text or setting.example


def _written(value: Value) -> str:
    """The value as YAML, quoted where it has to be."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if _PLAIN.fullmatch(value) and value not in NULLS:
        return value
    quoted: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=float("inf"))
    return quoted.strip()
