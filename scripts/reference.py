"""Writes docs/reference/cli.md, settings.md, config.yaml, predecessor.md and openapi.json from
the code.

With `--check` it writes nothing and fails when a page is stale.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path

from xg2g.app.reload import LIVE_KEYS
from xg2g.config import Settings
from xg2g.config.environment import variables_of
from xg2g.config.example import example
from xg2g.config.predecessor import CONVERTED_KEYS, CONVERTED_VARIABLES, GONE, Conversion
from xg2g.config.setting import VARIABLE_PREFIX, Setting, sections_of, settings_of
from xg2g.web.api.routes import openapi

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
WRITTEN = "<!-- Written by scripts/reference.py; make fix writes it anew. -->\n"
SETTINGS_HEAD = f"""{WRITTEN}
# Settings

[Command-line](cli.md) flags override environment variables, variables override the
[file](../guide/configuration.md), and the file overrides defaults. Names in brackets are those of
the predecessor, which still work.
"""


PREDECESSOR_HEAD = f"""{WRITTEN}
# Names of the predecessor

The predecessor's variables and keys, with their names today. The older names still work; at each
start, the log names those that should be changed. [Migration](../guide/migration.md) describes the
other changes.
"""


def cli_page() -> str:
    """The help of every command."""
    command = [sys.executable, "-m", "typer", "xg2g.cli", "utils", "docs", "--name", "xg2g"]
    page = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return f"{WRITTEN}\n{page.strip()}\n"


def settings_page() -> str:
    """Return the page of settings."""
    page = SETTINGS_HEAD
    settings = settings_of(Settings).values()
    for section, members in groupby(settings, key=lambda setting: setting.section):
        meaning = sections_of(Settings)[section].__doc__ or ""
        page += f"\n## `{section}`\n\n{meaning}\n\n"
        page += "| key | variable | flag | default | |\n|---|---|---|---|---|\n"
        page += "".join(_row(setting) for setting in members)
    return page


def predecessor_page() -> str:
    """Return the page of the predecessor's names."""
    settings = settings_of(Settings)
    variables = {
        older: item.variable for item in settings.values() for older in item.older_variables
    }
    keys = {older: item.key for item in settings.values() for older in item.names.older_keys}
    for older, convert in CONVERTED_VARIABLES.items():
        variables[older] = ", ".join(settings[key].variable for key in _converted_keys(convert))
    for older, convert in CONVERTED_KEYS.items():
        keys[older] = ", ".join(_converted_keys(convert))
    page = PREDECESSOR_HEAD
    for heading, names in (("Variables", variables), ("Keys of the file", keys)):
        page += f"\n## {heading}\n\n| older name | name today |\n|---|---|\n"
        page += "".join(f"| `{older}` | `{newer}` |\n" for older, newer in sorted(names.items()))
    page += "\n## Ignored today\n\n| name | reason |\n|---|---|\n"
    for name, why in GONE.items():
        page += f"| `{name if name[0].islower() else VARIABLE_PREFIX + name}` | {why} |\n"
    return page


def _converted_keys(convert: Conversion) -> list[str]:
    """The keys that an older value is converted to."""
    for value in (":8080", "10000", "10s"):
        with suppress(ValueError):
            return list(convert(value))
    raise ValueError(f"{convert} takes none of the values that are tried")


def _row(setting: Setting) -> str:
    cells = (
        "<br>".join(f"`{key}`" for key in _keys(setting)),
        "<br>".join(f"`{name}`" for name in _variables(setting)),
        f"`{setting.names.flag}`" if setting.names.flag else "",
        f"`{setting.default_text}`" if setting.default_text else "",
        " ".join((setting.meaning, *_remarks(setting))),
    )
    return f"| {' | '.join(cells)} |\n"


def _keys(setting: Setting) -> list[str]:
    return [setting.key, f"{setting.key}_file"] if setting.is_secret else [setting.key]


def _variables(setting: Setting) -> list[str]:
    return [name for name in variables_of(setting) if name.startswith(setting.variable)]


def _remarks(setting: Setting) -> Iterator[str]:
    if setting.is_secret:
        yield "The second form names a file that contains it."
    if setting.key not in LIVE_KEYS:
        yield "A change takes a restart."
    older = [*setting.older_variables, *setting.names.older_keys]
    if older:
        yield f"({', '.join(f'`{name}`' for name in older)})"


def main() -> int:
    pages = {
        REFERENCE / "cli.md": cli_page(),
        REFERENCE / "settings.md": settings_page(),
        REFERENCE / "config.yaml": example(),
        REFERENCE / "predecessor.md": predecessor_page(),
        REFERENCE / "openapi.json": f"{json.dumps(openapi(), indent=2)}\n",
    }
    stale = [page for page, text in pages.items() if not page.exists() or page.read_text() != text]
    if "--check" in sys.argv[1:]:
        for page in stale:
            sys.stderr.write(
                f"docs/reference/{page.name} is not what the code says: run make fix\n"
            )
        return 1 if stale else 0
    for page in stale:
        page.write_text(pages[page])
    return 0


if __name__ == "__main__":
    sys.exit(main())
