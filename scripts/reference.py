"""Writes docs/reference/cli.md and settings.md from the code.

With `--check` it writes nothing and fails when a page is stale.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from xg2g.config import Settings

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
WRITTEN = "<!-- Written by scripts/reference.py; make fix writes it anew. -->\n"
SETTINGS_HEAD = f"""{WRITTEN}
# Settings

A flag of the [command line](cli.md) wins over the variable of the environment, that over the
default. Where several variables are named, the first that is set counts; the later ones are
older names.

| variable | default | |
|---|---|---|
"""


def cli_page() -> str:
    """The help of every command."""
    command = [sys.executable, "-m", "typer", "xg2g.cli", "utils", "docs", "--name", "xg2g"]
    page = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return f"{WRITTEN}\n{page.strip()}\n"


def settings_page() -> str:
    """Every setting with its variable and default."""
    return SETTINGS_HEAD + "".join(_rows())


def _rows() -> Iterator[str]:
    for name, setting in Settings.model_fields.items():
        variables = "<br>".join(f"`{variable}`" for variable in _variables(name, setting))
        meaning = " ".join((setting.description or "").split())
        yield f"| {variables} | {_default(setting)} | {meaning} |\n"


def _variables(name: str, setting: FieldInfo) -> list[str]:
    aliases = setting.validation_alias
    if isinstance(aliases, AliasChoices):
        return [str(alias) for alias in aliases.choices]
    return [f"XG2G_{name.upper()}"]


def _default(setting: FieldInfo) -> str:
    default = setting.default
    if default is None or default == "" or isinstance(default, SecretStr):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def main() -> int:
    pages = {REFERENCE / "cli.md": cli_page(), REFERENCE / "settings.md": settings_page()}
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
